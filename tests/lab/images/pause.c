/*
 * The lab's pause: holds a sandbox's Linux namespaces and, as PID 1 of a shared PID namespace, reaps what its
 * containers leave behind. Built static, so that the image holds this one file.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void reap(int number)
{
	(void)number;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void leave(int number)
{
	(void)number;
	_exit(0);
}

int main(void)
{
	struct sigaction on_child = {.sa_handler = reap, .sa_flags = SA_NOCLDSTOP};
	struct sigaction on_stop = {.sa_handler = leave};

	/* PID 1 gets no default action for signals: without a handler, SIGTERM would be ignored. */
	if (sigaction(SIGCHLD, &on_child, NULL) || sigaction(SIGTERM, &on_stop, NULL) ||
	    sigaction(SIGINT, &on_stop, NULL))
		return 1;
	for (;;)
		pause();
}

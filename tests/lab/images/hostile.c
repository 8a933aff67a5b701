/*
 * Programs that are hard on whoever looks at the node. Built static; brought into containers by a mount.
 *
 *   hostile crowd N            N children that sleep.
 *   hostile churn              children that are started and reaped, one after the other, as fast as it goes.
 *   hostile named HEX VERB...  this process and its children are called as the bytes say, two digits each, of which the
 *                              kernel keeps 15; then VERB.
 *   hostile dead N             N children that exit; nobody ever waits for them.
 *
 * Each verb but churn prints "ready" once it has done what it does at the start. All live until they are killed, and a
 * crowd dies with its parent.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	_exit(1);
}

static void live(void)
{
	for (;;)
		pause();
}

static void crowd(long count)
{
	for (long i = 0; i < count; i++) {
		pid_t child = fork();

		if (child < 0)
			fail("fork");
		if (child == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			live();
		}
	}
}

static void dead(long count)
{
	for (long i = 0; i < count; i++) {
		pid_t child = fork();

		if (child < 0)
			fail("fork");
		if (child == 0)
			_exit(0);
	}
}

static void churn(void)
{
	for (;;) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		if (child > 0)
			waitpid(child, NULL, 0);
		else
			usleep(1000);
	}
}

static void become(const char *hexadecimal)
{
	char name[16] = "";

	for (size_t i = 0; i < sizeof(name) - 1 && hexadecimal[2 * i] && hexadecimal[2 * i + 1]; i++) {
		char digits[] = {hexadecimal[2 * i], hexadecimal[2 * i + 1], 0};

		name[i] = (char)strtol(digits, NULL, 16);
	}
	if (prctl(PR_SET_NAME, name))
		fail("prctl");
}

int main(int argc, char **argv)
{
	if (argc > 3 && !strcmp(argv[1], "named")) {
		become(argv[2]);
		argv += 2;
		argc -= 2;
	}
	if (argc > 1 && !strcmp(argv[1], "churn"))
		churn();
	if (argc > 2 && !strcmp(argv[1], "crowd"))
		crowd(atol(argv[2]));
	else if (argc > 2 && !strcmp(argv[1], "dead"))
		dead(atol(argv[2]));
	else
		return 2;
	puts("ready");
	fflush(stdout);
	live();
}

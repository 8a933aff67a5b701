/*
 * One program for every way a container can go wrong. Built static.
 *
 *   misbehave children N       N children that exit; nobody ever waits for them. SIGUSR1: N more.
 *   misbehave orphans N        N grandchildren whose parent is gone, so that PID 1 inherits them, exit.
 *                              SIGUSR1: N more.
 *   misbehave unshare-net      this process leaves its network namespace for a new one.
 *   misbehave setns-net PATH   SIGUSR1: this process enters the network namespace at PATH. SIGUSR2: back.
 *   misbehave dead-leader      the first thread of this process exits, a second one lives on: state Z, alive.
 *   misbehave dead-leaders N   N children of that kind.
 *
 * Each verb prints "ready" once it has done what it does at the start, and then lives until it is killed.
 * SIGTERM ends it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what)
{
	perror(what);
	_exit(1);
}

static void on_stop(int number)
{
	(void)number;
	_exit(0);
}

static void ready(void)
{
	puts("ready");
	fflush(stdout);
}

/* Signals are taken by sigwait: a handler could not fork or setns safely. */
static int next_signal(void)
{
	sigset_t set;
	int number = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	if (sigwait(&set, &number))
		fail("sigwait");
	return number;
}

static void children(long count)
{
	for (long i = 0; i < count; i++) {
		pid_t child = fork();

		if (child < 0)
			fail("fork");
		if (child == 0)
			_exit(0);
	}
}

static void orphans(long count)
{
	pid_t between = fork();

	if (between < 0)
		fail("fork");
	if (between == 0) {
		pid_t parent = getpid();

		for (long i = 0; i < count; i++) {
			pid_t orphan = fork();

			if (orphan < 0)
				fail("fork");
			if (orphan == 0) {
				/* Exit only after the parent has: PID 1 must be the one who should wait. */
				while (getppid() == parent)
					usleep(1000);
				_exit(0);
			}
		}
		_exit(0);
	}
	if (waitpid(between, NULL, 0) != between)
		fail("waitpid");
}

static void *live_on(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static void die_as_leader(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, live_on, NULL))
		fail("pthread_create");
	/* Not pthread_exit: in a static program that would load libgcc_s at run time to unwind the stack. */
	syscall(SYS_exit, 0);
}

static void dead_leaders(long count)
{
	for (long i = 0; i < count; i++) {
		pid_t child = fork();

		if (child < 0)
			fail("fork");
		if (child == 0)
			die_as_leader();
	}
}

static void enter(int namespace)
{
	if (setns(namespace, CLONE_NEWNET))
		fail("setns");
}

static void setns_net(const char *path)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (home < 0)
		fail("/proc/self/ns/net");
	ready();
	for (;;) {
		if (next_signal() == SIGUSR1) {
			int away = open(path, O_RDONLY | O_CLOEXEC);

			if (away < 0)
				fail(path);
			enter(away);
			close(away);
		} else {
			enter(home);
		}
	}
}

static void again(void (*verb)(long), long count)
{
	verb(count);
	ready();
	for (;;)
		if (next_signal() == SIGUSR1)
			verb(count);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	const char *argument = argc > 2 ? argv[2] : "";
	struct sigaction stop = {.sa_handler = on_stop};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGTERM, &stop, NULL);

	if (!strcmp(verb, "children")) {
		again(children, atol(argument));
	} else if (!strcmp(verb, "orphans")) {
		again(orphans, atol(argument));
	} else if (!strcmp(verb, "unshare-net")) {
		if (unshare(CLONE_NEWNET))
			fail("unshare");
		ready();
	} else if (!strcmp(verb, "setns-net")) {
		setns_net(argument);
	} else if (!strcmp(verb, "dead-leader")) {
		ready();
		die_as_leader();
	} else if (!strcmp(verb, "dead-leaders")) {
		again(dead_leaders, atol(argument));
	} else {
		fprintf(stderr, "misbehave: unknown verb: %s\n", verb);
		return 2;
	}
	for (;;)
		pause();
}

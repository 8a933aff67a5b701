/* The yardstick: what one would write in C to read every process of a node and the namespaces of some.
 *
 * usage: sweep PID...
 *
 * For each line on standard input it lists /proc, opens, reads and closes every stat file, takes the parent, the
 * state, the number of threads and the start time from it, and reads five namespace links of each PID. It answers
 * with one line: CPU milliseconds, processes seen, links read.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct process {
	int pid;
	int parent;
	char state;
	long threads;
	unsigned long long start_ticks;
};

static const char *const kinds[] = {"net", "ipc", "uts", "pid", "user"};

static double cpu_milliseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static int read_process(const char *name, struct process *process)
{
	char path[64];
	char text[1024];
	snprintf(path, sizeof path, "/proc/%s/stat", name);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return 0;
	ssize_t length = read(file, text, sizeof text - 1);
	close(file);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	const char *after_name = strrchr(text, ')');
	if (after_name == NULL)
		return 0;
	process->pid = atoi(text);
	return sscanf(after_name + 2, "%c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld %*d %llu",
		      &process->state, &process->parent, &process->threads, &process->start_ticks) == 4;
}

static int read_links(const char *pid)
{
	int links = 0;
	for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
		char path[64];
		char target[64];
		snprintf(path, sizeof path, "/proc/%s/ns/%s", pid, kinds[kind]);
		links += readlink(path, target, sizeof target) > 0;
	}
	return links;
}

int main(int count, char **arguments)
{
	static struct process processes[65536];
	char line[8];
	while (fgets(line, sizeof line, stdin) != NULL) {
		double begin = cpu_milliseconds();
		size_t seen = 0;
		int links = 0;
		DIR *listing = opendir("/proc");
		if (listing == NULL) {
			perror("/proc");
			return EXIT_FAILURE;
		}
		const struct dirent *entry;
		while ((entry = readdir(listing)) != NULL && seen < sizeof processes / sizeof *processes)
			if (isdigit((unsigned char)entry->d_name[0]))
				seen += (size_t)read_process(entry->d_name, &processes[seen]);
		closedir(listing);
		for (int argument = 1; argument < count; argument++)
			links += read_links(arguments[argument]);
		printf("%.6f %zu %d\n", cpu_milliseconds() - begin, seen, links);
		fflush(stdout);
	}
	return EXIT_SUCCESS;
}

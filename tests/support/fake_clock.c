/*
 * Preloaded into a daemon under test (threats, `clock`): its wall clock is off by the seconds that the file named by
 * FAKE_CLOCK tells, from the moment that the file changes. The monotonic clock is the true one.
 *
 * The file holds one decimal number, FAKE_CLOCK_OCTETS long with leading zeros; it is mapped, so overwrite it in place.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define FAKE_CLOCK_OCTETS 20

static const volatile char *number;

__attribute__((constructor)) static void
map_file(void)
{
	const char *path = getenv("FAKE_CLOCK");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *page = mmap(NULL, FAKE_CLOCK_OCTETS, PROT_READ, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (page != MAP_FAILED)
		number = page;
}

static time_t
offset_s(void)
{
	time_t offset = 0;
	bool negative = false;
	for (size_t i = 0; number != NULL && i < FAKE_CLOCK_OCTETS; i++) {
		char c = number[i];
		if (c == '-')
			negative = true;
		else if (c >= '0' && c <= '9')
			offset = offset * 10 + (c - '0');
	}
	return negative ? -offset : offset;
}

int
clock_gettime(clockid_t clock, struct timespec *ret_now)
{
	long failed = syscall(SYS_clock_gettime, clock, ret_now);
	if (failed == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		ret_now->tv_sec += offset_s();
	return (int)failed;
}

int
gettimeofday(struct timeval *restrict ret_now, void *restrict zone)
{
	struct timespec now;
	(void)zone; /* obsolete, gettimeofday(2) */
	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return -1;
	*ret_now = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
	return 0;
}

time_t
time(time_t *ret_now)
{
	struct timespec now;
	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return -1;
	if (ret_now != NULL)
		*ret_now = now.tv_sec;
	return now.tv_sec;
}

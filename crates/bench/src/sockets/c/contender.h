/* What every contender in C needs: the clock, and the one line that is read of it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define TOPIC "site-01/p2p/GID_devices@@@000042"
#define WINDOW 100

static char payload[64];
static const char *work;
static int port, messages;
static uint64_t began, user_began, system_began, *round_trips;
static int round_trip_count;

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void cpu_time(uint64_t *user, uint64_t *system) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    *user = (uint64_t)usage.ru_utime.tv_sec * 1000000000 + (uint64_t)usage.ru_utime.tv_usec * 1000;
    *system = (uint64_t)usage.ru_stime.tv_sec * 1000000000 + (uint64_t)usage.ru_stime.tv_usec * 1000;
}

/* WORK PORT MESSAGES */
static void read_arguments(int argc, char **argv) {
    if (argc != 4) fail("three arguments are wanted");
    work = argv[1];
    port = atoi(argv[2]);
    messages = atoi(argv[3]);
    memset(payload, 'x', sizeof payload);
    round_trips = malloc(sizeof *round_trips * (size_t)messages);
    alarm(60);
}

static int is_work(const char *name) { return strcmp(work, name) == 0; }

static void watch_start(void) {
    cpu_time(&user_began, &system_began);
    began = now();
}

static int ascending(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static uint64_t quantile(double of) {
    return round_trip_count == 0 ? 0 : round_trips[(int)((round_trip_count - 1) * of)];
}

static void watch_stop(void) {
    uint64_t wall = now() - began, user, system, peak = 0;
    char line[256];
    cpu_time(&user, &system);
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, "VmHWM:", 6) == 0) peak = strtoull(line + 6, NULL, 10) * 1024;
    qsort(round_trips, (size_t)round_trip_count, sizeof *round_trips, ascending);
    printf("measured %llu %llu %llu %llu %llu %llu %llu\n", (unsigned long long)wall,
           (unsigned long long)(user - user_began), (unsigned long long)(system - system_began),
           (unsigned long long)peak, (unsigned long long)quantile(0.5), (unsigned long long)quantile(0.99),
           (unsigned long long)quantile(0.999));
    fflush(stdout);
    _Exit(0);
}

/*
 * The helper with sockets, against a server whose URL is given.
 *
 *     posix TEST URL
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mqttp2p_posix.h"

#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                          \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

static const char *url;

/* A TLS library that does nothing but hold the caller to its word: what could not be written comes again first. Every
 * other write can't be done at once, and in that time something comes in. */
typedef struct honest_t {
    int fd;
    uint8_t *owed;
    size_t owed_len;
    unsigned writes, held;
} honest_t;

static honest_t honest;

static void *honest_open(void *context, int fd, const char *host)
{
    honest_t *session = (honest_t *)context;
    MUST(host[0] != '\0' && session->owed == NULL);
    session->fd = fd;
    return session;
}

static int honest_handshake(void *session)
{
    (void)session;
    return 1;
}

static long honest_answer(ssize_t result, long want)
{
    if (result >= 0)
        return (long)result;
    return errno == EAGAIN ? want : MQTTP2P_TLS_FAILED(MQTTP2P_REASON_BROKEN);
}

static long honest_read(void *session, void *room, size_t len)
{
    return honest_answer(recv(((honest_t *)session)->fd, room, len, 0), MQTTP2P_TLS_WANT_READ);
}

static long honest_write(void *pointer, const void *bytes, size_t len)
{
    honest_t *session = (honest_t *)pointer;
    if (session->owed != NULL) {
        MUST(len >= session->owed_len && memcmp(bytes, session->owed, session->owed_len) == 0);
        session->held++;
    }
    free(session->owed);
    session->owed = NULL;
    if (session->writes++ % 2 == 0) {
        session->owed = (uint8_t *)malloc(len);
        MUST(session->owed != NULL);
        memcpy(session->owed, bytes, len);
        session->owed_len = len;
        usleep(200);
        return MQTTP2P_TLS_WANT_WRITE;
    }
    return honest_answer(send(session->fd, bytes, len, MSG_NOSIGNAL), MQTTP2P_TLS_WANT_WRITE);
}

static void honest_close(void *pointer, int clean)
{
    honest_t *session = (honest_t *)pointer;
    (void)clean;
    free(session->owed);
    session->owed = NULL;
}

static const mqttp2p_posix_tls_t HONEST = {&honest,      honest_open,  honest_handshake,
                                           honest_read, honest_write, honest_close};

static mqttp2p_posix_t *open_as(const char *client_id, const mqttp2p_config_t *config)
{
    mqttp2p_posix_options_t options = MQTTP2P_POSIX_OPTIONS_INIT;
    mqttp2p_posix_t *mqtt = NULL;
    options.url = url;
    options.client_id = client_id;
    options.config = config;
    options.tls = &HONEST;
    MUST(mqttp2p_posix_open(&options, &mqtt) == MQTTP2P_OK);
    return mqtt;
}

/* Works until this happens; what happens besides is left. */
static void until(mqttp2p_posix_t *mqtt, mqttp2p_action_t *event, uint32_t type)
{
    do
        MUST(mqttp2p_posix_next(mqtt, event, 20000) == MQTTP2P_OK);
    while (event->type != type);
}

static void *wake_soon(void *mqtt)
{
    usleep(50000);
    MUST(mqttp2p_posix_wake(mqtt) == MQTTP2P_OK);
    return NULL;
}

static void another_thread_wakes_it(void)
{
    mqttp2p_posix_t *mqtt = open_as("c-wake", NULL);
    mqttp2p_action_t event;
    pthread_t thread;
    until(mqtt, &event, MQTTP2P_EVENT_CONNECTED);
    MUST(pthread_create(&thread, NULL, wake_soon, mqtt) == 0);
    MUST(mqttp2p_posix_next(mqtt, &event, -1) == MQTTP2P_WOKEN);
    MUST(pthread_join(thread, NULL) == 0);
    /* However often it was woken before, it wakes once. */
    MUST(mqttp2p_posix_wake(mqtt) == MQTTP2P_OK && mqttp2p_posix_wake(mqtt) == MQTTP2P_OK);
    MUST(mqttp2p_posix_next(mqtt, &event, 0) == MQTTP2P_WOKEN);
    MUST(mqttp2p_posix_next(mqtt, &event, 0) == MQTTP2P_TIMED_OUT);
    MUST(mqttp2p_posix_close(mqtt, 5000) == MQTTP2P_OK);
}

/* More than any buffer in between holds comes back, in order; the program reads and writes in turns. */
static void a_flood_to_itself_comes_back_whole(void)
{
    enum { COUNT = 20000 };
    mqttp2p_config_t config = MQTTP2P_CONFIG_INIT;
    mqttp2p_posix_t *mqtt;
    mqttp2p_client_t *client;
    mqttp2p_action_t event;
    mqttp2p_filter_t filter;
    mqttp2p_stats_t stats;
    struct pollfd fds[2];
    int timeout, small = 1;
    unsigned sent = 0, got = 0, ended = 0;
    config.max_in_flight = 400;
    mqtt = open_as("c-flood", &config);
    client = mqttp2p_posix_client(mqtt);
    filter.filter = mqttp2p_str("c/flood");
    filter.qos = 1;
    MUST(mqttp2p_subscribe(client, &filter, 1, NULL) == MQTTP2P_OK);
    until(mqtt, &event, MQTTP2P_EVENT_SUBSCRIBED);
    /* So that writes take a part of what is offered. */
    MUST(mqttp2p_posix_pollfds(mqtt, fds, &timeout) == MQTTP2P_OK);
    MUST(setsockopt(fds[1].fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
    while (got < COUNT || ended < COUNT) {
        char text[300];
        while (sent < COUNT && sent - ended < 600) {
            memset(text, '.', sizeof text);
            snprintf(text, sizeof text, "%u", sent);
            MUST(mqttp2p_publish(client, filter.filter, mqttp2p_bytes(text, sizeof text), 1, 0, NULL) == MQTTP2P_OK);
            sent++;
        }
        MUST(mqttp2p_posix_next(mqtt, &event, 20000) == MQTTP2P_OK);
        if (event.type == MQTTP2P_EVENT_PUBLISHED)
            ended++;
        if (event.type == MQTTP2P_EVENT_MESSAGE) {
            unsigned long number = strtoul((const char *)event.data.ptr, NULL, 10);
            if (number != got) {
                MUST(mqttp2p_stats(client, &stats) == MQTTP2P_OK);
                fprintf(stderr, "%lu came instead of %u; %u connections\n", number, got, (unsigned)stats.connections);
            }
            MUST(event.data.len == sizeof text && number == got);
            got++;
        }
    }
    /* A stream that went wrong would have been mended by another connection. */
    MUST(mqttp2p_stats(client, &stats) == MQTTP2P_OK && stats.connections == 1);
    MUST(mqttp2p_posix_close(mqtt, 5000) == MQTTP2P_OK);
}

/* A TLS library must be given again what it could not write, whatever else came to be sent meanwhile. The server's port
 * is one without TLS. */
static void what_tls_could_not_write_comes_again_first(void)
{
    static char secure[300];
    snprintf(secure, sizeof secure, "mqtts%s", strstr(url, "://"));
    url = secure;
    a_flood_to_itself_comes_back_whole();
    MUST(honest.held > 10);
}

/* The test ends the server once "connected" is printed, and starts it again. */
static void a_server_that_restarts_gets_what_was_published_meanwhile(void)
{
    mqttp2p_config_t config = MQTTP2P_CONFIG_INIT;
    mqttp2p_posix_t *mqtt;
    mqttp2p_action_t event;
    mqttp2p_filter_t filter;
    uint32_t ticket;
    config.backoff_base_ms = 100;
    config.backoff_cap_ms = 0;
    mqtt = open_as("c-restart", &config);
    filter.filter = mqttp2p_str("c/restart");
    filter.qos = 1;
    MUST(mqttp2p_subscribe(mqttp2p_posix_client(mqtt), &filter, 1, NULL) == MQTTP2P_OK);
    until(mqtt, &event, MQTTP2P_EVENT_SUBSCRIBED);
    printf("connected\n");
    fflush(stdout);
    until(mqtt, &event, MQTTP2P_EVENT_DISCONNECTED);
    MUST(event.reason == MQTTP2P_REASON_CLOSED_BY_PEER || event.reason == MQTTP2P_REASON_BROKEN);
    MUST(mqttp2p_publish(mqttp2p_posix_client(mqtt), filter.filter, mqttp2p_str("meanwhile"), 1, 0, &ticket) == MQTTP2P_OK);
    until(mqtt, &event, MQTTP2P_EVENT_CONNECTED);
    until(mqtt, &event, MQTTP2P_EVENT_PUBLISHED);
    MUST(event.ticket == ticket);
    MUST(mqttp2p_posix_close(mqtt, 5000) == MQTTP2P_OK);
}

static void a_loop_of_the_programs_own_drives_it(void)
{
    mqttp2p_posix_t *mqtt = open_as("c-loop", NULL);
    mqttp2p_action_t event;
    int published = 0;
    MUST(mqttp2p_publish(mqttp2p_posix_client(mqtt), mqttp2p_str("c/loop"), mqttp2p_str("x"), 1, 0, NULL) == MQTTP2P_OK);
    while (!published) {
        struct pollfd fds[2];
        int timeout;
        mqttp2p_status_t status;
        while ((status = mqttp2p_posix_next(mqtt, &event, 0)) == MQTTP2P_OK)
            published += event.type == MQTTP2P_EVENT_PUBLISHED;
        MUST(status == MQTTP2P_TIMED_OUT);
        MUST(mqttp2p_posix_pollfds(mqtt, fds, &timeout) == MQTTP2P_OK);
        MUST(timeout >= -1 && timeout <= 60000);
        if (!published)
            MUST(poll(fds, 2, timeout) >= 0);
    }
    MUST(mqttp2p_posix_close(mqtt, 5000) == MQTTP2P_OK);
}

/* Messages that nobody took are not acknowledged by closing. */
static void closing_acknowledges_nothing_that_was_not_taken(void)
{
    static const char *const TEXTS[] = {"taken", "left!"};
    mqttp2p_posix_t *mqtt = open_as("c-untaken", NULL), *other = open_as("c-untaken-2", NULL);
    mqttp2p_action_t event;
    mqttp2p_filter_t filter;
    int i;
    filter.filter = mqttp2p_str("c/untaken");
    filter.qos = 1;
    MUST(mqttp2p_subscribe(mqttp2p_posix_client(mqtt), &filter, 1, NULL) == MQTTP2P_OK);
    until(mqtt, &event, MQTTP2P_EVENT_SUBSCRIBED);
    for (i = 0; i < 2; i++) {
        MUST(mqttp2p_publish(mqttp2p_posix_client(other), filter.filter, mqttp2p_str(TEXTS[i]), 1, 0, NULL) == MQTTP2P_OK);
        until(other, &event, MQTTP2P_EVENT_PUBLISHED);
    }
    MUST(mqttp2p_posix_close(other, 5000) == MQTTP2P_OK);
    usleep(300000); /* Both are in the socket by now, and are read at once; only one is taken. */
    until(mqtt, &event, MQTTP2P_EVENT_MESSAGE);
    MUST(event.data.len == 5 && memcmp(event.data.ptr, TEXTS[0], 5) == 0);
    MUST(mqttp2p_posix_close(mqtt, 5000) == MQTTP2P_OK);
    mqtt = open_as("c-untaken", NULL);
    until(mqtt, &event, MQTTP2P_EVENT_MESSAGE);
    MUST(event.data.len == 5 && memcmp(event.data.ptr, TEXTS[1], 5) == 0);
    MUST(mqttp2p_unsubscribe(mqttp2p_posix_client(mqtt), &filter.filter, 1, NULL) == MQTTP2P_OK);
    until(mqtt, &event, MQTTP2P_EVENT_UNSUBSCRIBED);
    MUST(mqttp2p_posix_close(mqtt, 5000) == MQTTP2P_OK);
}

static mqttp2p_status_t keep(void *context, mqttp2p_client_t *client)
{
    ++*(int *)context;
    return mqttp2p_keep_session(client);
}

static mqttp2p_status_t no_log_in(void *context, mqttp2p_login_t *login)
{
    MUST(login->client_id.len == 8);
    ++*(int *)context;
    return MQTTP2P_E_OFFLINE;
}

static void options_that_are_asked_for_are_asked(void)
{
    mqttp2p_posix_options_t options = MQTTP2P_POSIX_OPTIONS_INIT;
    mqttp2p_posix_t *mqtt = NULL;
    mqttp2p_action_t event;
    int asked = 0;
    options.url = url;
    options.client_id = "c-option";
    options.prepare = keep;
    options.context = &asked;
    MUST(mqttp2p_posix_open(&options, &mqtt) == MQTTP2P_OK && asked == 1);
    MUST(mqttp2p_publish(mqttp2p_posix_client(mqtt), mqttp2p_str("t"), mqttp2p_str("x"), 1, 0, NULL) == MQTTP2P_OK);
    until(mqtt, &event, MQTTP2P_ACTION_STORE_PUT);
    until(mqtt, &event, MQTTP2P_ACTION_STORE_REMOVE);
    MUST(mqttp2p_posix_close(mqtt, 5000) == MQTTP2P_OK);

    options.log_in = no_log_in;
    options.prepare = NULL;
    MUST(mqttp2p_posix_open(&options, &mqtt) == MQTTP2P_OK);
    until(mqtt, &event, MQTTP2P_EVENT_DISCONNECTED);
    MUST(event.reason == MQTTP2P_REASON_NO_LOG_IN && asked == 2);
    MUST(mqttp2p_posix_close(mqtt, 5000) == MQTTP2P_OK);
}

static void what_is_wrong_gets_a_status(void)
{
    static const char *const WRONG[] = {"",          "mqtt:/x",       "http://x", "mqtt://",          "mqtt://x:",
                                        "mqtt://x:1/y", "mqtt://x:123456", "mqtt://[::1", "mqtt://x:12ab", "ws://x:1?y"};
    mqttp2p_posix_options_t options = MQTTP2P_POSIX_OPTIONS_INIT;
    mqttp2p_posix_t *mqtt = NULL;
    mqttp2p_action_t event;
    size_t i;
    options.client_id = "c-wrong";
    for (i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        options.url = WRONG[i];
        MUST(mqttp2p_posix_open(&options, &mqtt) == MQTTP2P_E_URL);
    }
    options.url = "mqtts://127.0.0.1";
    MUST(mqttp2p_posix_open(&options, &mqtt) == MQTTP2P_E_NO_TLS);
    options.url = NULL;
    MUST(mqttp2p_posix_open(&options, &mqtt) == MQTTP2P_E_NULL);
    options.url = url;
    options.struct_size = 1000;
    MUST(mqttp2p_posix_open(&options, &mqtt) == MQTTP2P_E_INVALID_ARGUMENT);
    MUST(mqttp2p_posix_open(NULL, &mqtt) == MQTTP2P_E_NULL);
    MUST(mqtt == NULL);
    MUST(mqttp2p_posix_next(NULL, &event, 0) == MQTTP2P_E_NULL && mqttp2p_posix_wake(NULL) == MQTTP2P_E_NULL);
    MUST(mqttp2p_posix_client(NULL) == NULL && mqttp2p_posix_close(NULL, 0) == MQTTP2P_OK);

    /* A name that no server has, and one that says so at once. */
    mqtt = NULL;
    options.struct_size = (uint32_t)sizeof options;
    options.url = "mqtt://name.invalid";
    MUST(mqttp2p_posix_open(&options, &mqtt) == MQTTP2P_OK);
    until(mqtt, &event, MQTTP2P_EVENT_DISCONNECTED);
    MUST(event.reason == MQTTP2P_REASON_NAME_NOT_FOUND);
    MUST(mqttp2p_posix_close(mqtt, 5000) == MQTTP2P_OK);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } TESTS[] = {
        {"another_thread_wakes_it", another_thread_wakes_it},
        {"a_flood_to_itself_comes_back_whole", a_flood_to_itself_comes_back_whole},
        {"what_tls_could_not_write_comes_again_first", what_tls_could_not_write_comes_again_first},
        {"a_server_that_restarts_gets_what_was_published_meanwhile",
         a_server_that_restarts_gets_what_was_published_meanwhile},
        {"a_loop_of_the_programs_own_drives_it", a_loop_of_the_programs_own_drives_it},
        {"closing_acknowledges_nothing_that_was_not_taken", closing_acknowledges_nothing_that_was_not_taken},
        {"options_that_are_asked_for_are_asked", options_that_are_asked_for_are_asked},
        {"what_is_wrong_gets_a_status", what_is_wrong_gets_a_status},
    };
    size_t i;
    if (argc != 3) {
        for (i = 0; i < sizeof TESTS / sizeof TESTS[0]; i++)
            printf("%s\n", TESTS[i].name);
        return 2;
    }
    url = argv[2];
    for (i = 0; i < sizeof TESTS / sizeof TESTS[0]; i++)
        if (strcmp(argv[1], TESTS[i].name) == 0) {
            TESTS[i].run();
            return 0;
        }
    fprintf(stderr, "no such test\n");
    return 2;
}

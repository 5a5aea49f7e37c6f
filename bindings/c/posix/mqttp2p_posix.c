/* mqttp2p with sockets: see mqttp2p_posix.h. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#ifdef __APPLE__
#define _DARWIN_C_SOURCE
#endif

#include "mqttp2p_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL /* Where there is SO_NOSIGPIPE instead. */
#define MSG_NOSIGNAL 0
#endif

enum {
    HOST_SIZE = 256,
    PORT_SIZE = 6,
    PATH_SIZE = 256,
    /* What is on its way out, where it is not written straight away. */
    OUT_SIZE = 16384,
    /* How long the last bytes may take to be read by the peer, in milliseconds. */
    LINGER_MS = 500,
    /* The first size of the buffer for the log-in that credentials make. */
    LOGIN_SIZE = 512
};

/* How far a transport is. */
typedef enum phase_t { CLOSED, CONNECTING, SECURING, UPGRADING, OPEN } phase_t;

struct mqttp2p_posix_t {
    mqttp2p_posix_options_t options;
    mqttp2p_client_t *client;

    int is_tls, is_websocket;
    uint8_t protocol;
    char host[HOST_SIZE];
    char port[PORT_SIZE];
    char path[PATH_SIZE];

    phase_t phase;
    int fd;
    /* Those still to be tried, and what to free. */
    struct addrinfo *next_address, *addresses;
    void *session;
    /* What to wait for. */
    int wants_write, wants_read;
    /* The transport may have more, without poll(2) saying so: TLS keeps some, or the buffer was full. */
    int may_have_more;
    /* Why the transport has ended, once all that came before has been taken. 0: it has not. */
    int32_t ended;

    /* What came and was not taken yet: rx[taken..filled]. */
    uint8_t *rx;
    size_t rx_size, taken, filled;

    /* Over WebSocket, the connection. */
    mqttp2p_websocket_memory_t websocket_memory;
    mqttp2p_websocket_t *websocket;
    /* Over WebSocket what is framed, over TLS what must come again as it is if it can't be written, and is not written:
     * out[out_taken..out_filled]. */
    uint8_t *out;
    size_t out_taken, out_filled;

    uint8_t *login;
    size_t login_size;

    /* Read from, and written to by mqttp2p_posix_wake. */
    int wake_fds[2];
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* ---- the URL ---- */

static mqttp2p_status_t parse_url(mqttp2p_posix_t *mqtt, const char *url)
{
    static const struct {
        const char *prefix, *port;
        int is_tls, is_websocket;
    } SCHEMES[] = {{"mqtt://", "1883", 0, 0}, {"mqtts://", "8883", 1, 0}, {"ws://", "80", 0, 1}, {"wss://", "443", 1, 1}};
    const char *rest = NULL, *host_end, *port = NULL;
    size_t i, host_len, port_len, path_len;

    for (i = 0; i < sizeof SCHEMES / sizeof SCHEMES[0]; i++) {
        size_t len = strlen(SCHEMES[i].prefix);
        if (strncmp(url, SCHEMES[i].prefix, len) == 0) {
            rest = url + len;
            port = SCHEMES[i].port;
            mqtt->is_tls = SCHEMES[i].is_tls;
            mqtt->is_websocket = SCHEMES[i].is_websocket;
        }
    }
    if (rest == NULL)
        return MQTTP2P_E_URL;

    if (*rest == '[') {
        host_end = strchr(++rest, ']');
        if (host_end == NULL)
            return MQTTP2P_E_URL;
        host_len = (size_t)(host_end++ - rest);
    } else {
        host_len = strcspn(rest, ":/");
        host_end = rest + host_len;
    }
    port_len = strlen(port);
    if (*host_end == ':') {
        port = ++host_end;
        port_len = strspn(port, "0123456789");
        host_end += port_len;
    }
    path_len = strlen(host_end);
    if (host_len == 0 || host_len >= HOST_SIZE || port_len == 0 || port_len >= PORT_SIZE || path_len >= PATH_SIZE)
        return MQTTP2P_E_URL;
    if (path_len > 0 && (*host_end != '/' || (!mqtt->is_websocket && path_len > 1)))
        return MQTTP2P_E_URL;
    memcpy(mqtt->host, rest, host_len);
    memcpy(mqtt->port, port, port_len);
    memcpy(mqtt->path, path_len > 0 ? host_end : "/mqtt", path_len > 0 ? path_len : 5);
    return MQTTP2P_OK;
}

/* ---- bytes through the layers ---- */

static long socket_answer(ssize_t result, long want)
{
    if (result >= 0)
        return (long)result;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return want;
    return MQTTP2P_TLS_FAILED(MQTTP2P_REASON_BROKEN);
}

static long stream_read(mqttp2p_posix_t *mqtt, void *room, size_t len)
{
    if (mqtt->session != NULL)
        return mqtt->options.tls->read(mqtt->session, room, len);
    return socket_answer(recv(mqtt->fd, room, len, 0), MQTTP2P_TLS_WANT_READ);
}

static long stream_write(mqttp2p_posix_t *mqtt, const void *bytes, size_t len)
{
    if (mqtt->session != NULL)
        return mqtt->options.tls->write(mqtt->session, bytes, len);
    return socket_answer(send(mqtt->fd, bytes, len, MSG_NOSIGNAL), MQTTP2P_TLS_WANT_WRITE);
}

/* Notes what a layer waits for; or that, and why, the transport has ended. */
static void note(mqttp2p_posix_t *mqtt, long answer)
{
    if (answer == MQTTP2P_TLS_WANT_READ)
        mqtt->wants_read = 1;
    else if (answer == MQTTP2P_TLS_WANT_WRITE)
        mqtt->wants_write = 1;
    else if (answer == MQTTP2P_TLS_CLOSED)
        mqtt->ended = MQTTP2P_REASON_CLOSED_BY_PEER;
    else
        mqtt->ended = (int32_t)-answer;
}

/* Writes what is in out, as far as possible. */
static void flush(mqttp2p_posix_t *mqtt)
{
    while (mqtt->out_taken < mqtt->out_filled && !mqtt->ended) {
        long answer = stream_write(mqtt, mqtt->out + mqtt->out_taken, mqtt->out_filled - mqtt->out_taken);
        if (answer <= 0) {
            note(mqtt, answer);
            return;
        }
        mqtt->out_taken += (size_t)answer;
    }
    mqtt->out_taken = mqtt->out_filled = 0;
}

/* Puts packets in out, in frames if there are frames, once all before is written; gives how many bytes of them. What
 * WebSocket has to say itself comes with them, or with none. */
static size_t stage(mqttp2p_posix_t *mqtt, const uint8_t *packets, size_t len)
{
    size_t taken = len;
    flush(mqtt);
    if (mqtt->out_filled > 0)
        return 0;
    if (mqtt->is_websocket) {
        taken = 0;
        if (mqttp2p_websocket_transmit(mqtt->websocket, mqttp2p_bytes(packets, len), mqtt->out, OUT_SIZE, &taken,
                                       &mqtt->out_filled) != MQTTP2P_OK)
            mqtt->ended = MQTTP2P_REASON_BROKEN;
    } else {
        taken = len < OUT_SIZE ? len : OUT_SIZE;
        memcpy(mqtt->out, packets, taken);
        mqtt->out_filled = taken;
    }
    flush(mqtt);
    return taken;
}

/* Writes packets, or takes them to be written: a number of bytes, or what a layer answered. */
static long transport_write(mqttp2p_posix_t *mqtt, const uint8_t *packets, size_t len)
{
    size_t taken;
    /* The client may have something more urgent when a socket takes bytes again. TLS wants what it was given. */
    if (!mqtt->is_websocket && mqtt->session == NULL)
        return stream_write(mqtt, packets, len);
    taken = stage(mqtt, packets, len);
    return taken > 0 ? (long)taken : mqtt->ended ? -(long)mqtt->ended : MQTTP2P_TLS_WANT_WRITE;
}

/* Raw bytes have come behind what is in rx: makes MQTT of them. */
static void unwrap(mqttp2p_posix_t *mqtt, size_t raw)
{
    size_t len = raw;
    int32_t reason;
    if (mqtt->is_websocket) {
        mqttp2p_websocket_receive(mqtt->websocket, mqtt->rx + mqtt->filled, raw, &len);
        if (mqttp2p_websocket_end(mqtt->websocket, &reason, NULL) == MQTTP2P_OK)
            mqtt->ended = reason;
        if (mqttp2p_websocket_wants_transmit(mqtt->websocket) == 1)
            stage(mqtt, NULL, 0);
    }
    mqtt->filled += len;
}

/* Reads what has come, as far as there is room. */
static void fill(mqttp2p_posix_t *mqtt)
{
    mqtt->may_have_more = 0;
    if (mqtt->phase != OPEN || mqtt->ended)
        return;
    memmove(mqtt->rx, mqtt->rx + mqtt->taken, mqtt->filled - mqtt->taken);
    mqtt->filled -= mqtt->taken;
    mqtt->taken = 0;
    /* The client takes a whole packet, and no packet of the size that it allows is so long. */
    if (mqtt->filled == mqtt->rx_size)
        mqtt->ended = MQTTP2P_REASON_BROKEN;
    while (mqtt->filled < mqtt->rx_size && !mqtt->ended) {
        long answer = stream_read(mqtt, mqtt->rx + mqtt->filled, mqtt->rx_size - mqtt->filled);
        if (answer <= 0) {
            note(mqtt, answer);
            return;
        }
        unwrap(mqtt, (size_t)answer);
    }
    mqtt->may_have_more = !mqtt->ended;
}

/* ---- opening and closing ---- */

static void free_addresses(mqttp2p_posix_t *mqtt)
{
    if (mqtt->addresses != NULL)
        freeaddrinfo(mqtt->addresses);
    mqtt->addresses = mqtt->next_address = NULL;
}

static void close_socket(mqttp2p_posix_t *mqtt, int clean)
{
    if (mqtt->session != NULL)
        mqtt->options.tls->close(mqtt->session, clean);
    mqtt->session = NULL;
    if (mqtt->fd >= 0)
        close(mqtt->fd);
    mqtt->fd = -1;
}

/* Waits for the socket, up to a moment. Whether it is ready. */
static int wait_for(const mqttp2p_posix_t *mqtt, short events, uint64_t until)
{
    struct pollfd wait;
    uint64_t now = now_ms();
    wait.fd = mqtt->fd;
    wait.events = events;
    return now < until && poll(&wait, 1, (int)(until - now)) > 0;
}

/* Says good-bye in every layer, and lets the peer read it: a socket that is closed with bytes unread resets the
 * connection, and the peer may never see DISCONNECT. */
static void part(mqttp2p_posix_t *mqtt)
{
    uint64_t until = now_ms() + LINGER_MS;
    uint8_t drop[512];
    if (mqtt->is_websocket) {
        mqttp2p_websocket_close(mqtt->websocket);
        stage(mqtt, NULL, 0);
    }
    do
        flush(mqtt);
    while (mqtt->out_filled > 0 && !mqtt->ended && wait_for(mqtt, POLLOUT, until));
    if (mqtt->session != NULL)
        mqtt->options.tls->close(mqtt->session, 1);
    mqtt->session = NULL;
    shutdown(mqtt->fd, SHUT_WR);
    while (wait_for(mqtt, POLLIN, until) && recv(mqtt->fd, drop, sizeof drop, 0) > 0)
        ;
}

/* Nothing is left of the transport. */
static void close_transport(mqttp2p_posix_t *mqtt, int clean)
{
    if (clean && mqtt->fd >= 0 && mqtt->phase == OPEN)
        part(mqtt);
    close_socket(mqtt, 0);
    free_addresses(mqtt);
    mqtt->phase = CLOSED;
    mqtt->ended = 0;
    mqtt->taken = mqtt->filled = mqtt->out_taken = mqtt->out_filled = 0;
    mqtt->wants_read = mqtt->wants_write = mqtt->may_have_more = 0;
}

static int prepare_socket(int fd)
{
    int on = 1;
    int flags = fcntl(fd, F_GETFL);
#ifdef SO_NOSIGPIPE
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) >= 0;
}

static int32_t reason_of_errno(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return MQTTP2P_REASON_CONNECTION_REFUSED;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ETIMEDOUT:
    case ENETDOWN:
        return MQTTP2P_REASON_UNREACHABLE;
    default:
        return MQTTP2P_REASON_BROKEN;
    }
}

/* Tries the next address, and the one after it if that can't even be begun. */
static void connect_next(mqttp2p_posix_t *mqtt, int32_t reason)
{
    mqtt->phase = CONNECTING;
    while (mqtt->next_address != NULL) {
        struct addrinfo *address = mqtt->next_address;
        mqtt->next_address = address->ai_next;
        close_socket(mqtt, 0);
        mqtt->fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
        if (mqtt->fd >= 0 && prepare_socket(mqtt->fd)) {
            if (connect(mqtt->fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS) {
                mqtt->wants_write = 1;
                return;
            }
        }
        reason = reason_of_errno(errno);
    }
    mqtt->ended = reason;
}

static void dial(mqttp2p_posix_t *mqtt)
{
    struct addrinfo hints;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    close_transport(mqtt, 0);
    if (getaddrinfo(mqtt->host, mqtt->port, &hints, &mqtt->addresses) != 0) {
        mqtt->addresses = NULL;
        mqtt->phase = CONNECTING;
        mqtt->ended = MQTTP2P_REASON_NAME_NOT_FOUND;
        return;
    }
    mqtt->next_address = mqtt->addresses;
    connect_next(mqtt, MQTTP2P_REASON_NAME_NOT_FOUND);
}

/* The log-in of this connection. */
static mqttp2p_status_t make_login(mqttp2p_posix_t *mqtt, mqttp2p_login_t *login)
{
    const mqttp2p_posix_options_t *options = &mqtt->options;
    login->client_id = mqttp2p_str(options->client_id);
    if (options->log_in != NULL)
        return options->log_in(options->context, login);
    if (options->credentials == NULL) {
        login->user_name = mqttp2p_str(options->user_name);
        login->password = mqttp2p_str(options->password);
        return MQTTP2P_OK;
    }
    for (;;) {
        size_t needed = 0;
        mqttp2p_bytes_t id = login->client_id;
        mqttp2p_status_t status =
            mqttp2p_aliyun_log_in(options->credentials, id, mqtt->login, mqtt->login_size, &needed, login);
        uint8_t *larger;
        if (status != MQTTP2P_E_BUFFER_TOO_SMALL || needed <= mqtt->login_size)
            return status;
        larger = (uint8_t *)malloc(needed);
        if (larger == NULL)
            return MQTTP2P_E_NO_MEMORY;
        free(mqtt->login);
        mqtt->login = larger;
        mqtt->login_size = needed;
    }
}

/* Overwrites what must not stay in memory, in a way that a compiler does not leave out. */
static void wipe(uint8_t *bytes, size_t len)
{
    volatile uint8_t *place = bytes;
    while (len--)
        *place++ = 0;
}

/* All layers are there: CONNECT may go out. */
static mqttp2p_status_t opened(mqttp2p_posix_t *mqtt)
{
    mqttp2p_login_t login = MQTTP2P_LOGIN_INIT;
    mqttp2p_status_t status = make_login(mqtt, &login);
    mqtt->phase = OPEN;
    free_addresses(mqtt);
    if (status == MQTTP2P_OK)
        status = mqttp2p_transport_opened(mqtt->client, now_ms(), &login);
    wipe(mqtt->login, mqtt->login_size);
    if (status != MQTTP2P_OK)
        mqtt->ended = MQTTP2P_REASON_NO_LOG_IN;
    return status;
}

/* 16 bytes that nobody can foresee. */
static int randomness(uint8_t seed[16])
{
    FILE *file = fopen("/dev/urandom", "rb");
    size_t got = 0;
    if (file != NULL) {
        got = fread(seed, 1, 16, file);
        fclose(file);
    }
    return got == 16;
}

/* The stream is there: over WebSocket, its handshake comes next. */
static void stream_opened(mqttp2p_posix_t *mqtt)
{
    char host[HOST_SIZE + PORT_SIZE + 3];
    uint8_t seed[16];
    int is_ipv6 = strchr(mqtt->host, ':') != NULL;
    if (!mqtt->is_websocket) {
        opened(mqtt);
        return;
    }
    mqtt->phase = UPGRADING;
    snprintf(host, sizeof host, "%s%s%s:%s", is_ipv6 ? "[" : "", mqtt->host, is_ipv6 ? "]" : "", mqtt->port);
    if (!randomness(seed) ||
        mqttp2p_websocket_init(&mqtt->websocket_memory, sizeof mqtt->websocket_memory, seed, &mqtt->websocket) !=
            MQTTP2P_OK ||
        mqttp2p_websocket_open(mqtt->websocket, mqttp2p_str(host), mqttp2p_str(mqtt->path), mqtt->protocol, mqtt->out,
                               OUT_SIZE, &mqtt->out_filled) != MQTTP2P_OK) {
        mqtt->ended = MQTTP2P_REASON_UPGRADE;
        return;
    }
    flush(mqtt);
    mqtt->wants_read = 1;
}

/* Reads the server's answer to the WebSocket request, and what may come right behind it. */
static void read_answer(mqttp2p_posix_t *mqtt)
{
    long answer = stream_read(mqtt, mqtt->rx + mqtt->filled, mqtt->rx_size - mqtt->filled);
    mqtt->wants_read = 1;
    if (answer <= 0) {
        note(mqtt, answer == MQTTP2P_TLS_CLOSED ? MQTTP2P_TLS_FAILED(MQTTP2P_REASON_UPGRADE) : answer);
        return;
    }
    unwrap(mqtt, (size_t)answer);
    if (mqttp2p_websocket_is_open(mqtt->websocket) == 1) {
        opened(mqtt);
        mqtt->may_have_more = 1;
    }
}

/* Goes on opening the transport, as far as that is possible without waiting. */
static void go_on_opening(mqttp2p_posix_t *mqtt, short events)
{
    int error = 0, answer;
    socklen_t size = sizeof error;
    mqtt->wants_read = mqtt->wants_write = 0;
    switch (mqtt->phase) {
    case CONNECTING:
        if (!(events & (POLLOUT | POLLERR | POLLHUP)))
            return;
        if (getsockopt(mqtt->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
            error = errno;
        if (error != 0) {
            connect_next(mqtt, reason_of_errno(error));
            return;
        }
        if (!mqtt->is_tls) {
            stream_opened(mqtt);
            return;
        }
        mqtt->phase = SECURING;
        mqtt->session = mqtt->options.tls->open(mqtt->options.tls->context, mqtt->fd, mqtt->host);
        if (mqtt->session == NULL) {
            mqtt->ended = MQTTP2P_REASON_TLS;
            return;
        }
        /* fall through */
    case SECURING:
        answer = mqtt->options.tls->handshake(mqtt->session);
        if (answer > 0)
            stream_opened(mqtt);
        else
            note(mqtt, answer);
        return;
    case UPGRADING:
        flush(mqtt);
        read_answer(mqtt);
        return;
    default:
        return;
    }
}

/* ---- the loop ---- */

/* Does what the client says, up to an event (MQTTP2P_OK), to where only waiting helps (MQTTP2P_WAIT, and until when), or
 * to an error. */
static mqttp2p_status_t drain(mqttp2p_posix_t *mqtt, mqttp2p_action_t *action, int is_leaving, uint64_t *until)
{
    for (;;) {
        const uint8_t *rx = mqtt->rx + mqtt->taken;
        size_t len = mqtt->filled - mqtt->taken;
        /* Who leaves takes no more messages: nobody would see them. */
        mqttp2p_status_t status = is_leaving && mqttp2p_is_connected(mqtt->client) == 1
                                      ? mqttp2p_poll(mqtt->client, now_ms(), NULL, NULL, action)
                                      : mqttp2p_poll(mqtt->client, now_ms(), &rx, &len, action);
        long answer;
        if (status < 0)
            return status;
        mqtt->taken = mqtt->filled - len;
        switch (action->type) {
        case MQTTP2P_ACTION_OPEN_TRANSPORT:
            dial(mqtt);
            continue;
        case MQTTP2P_ACTION_CLOSE_TRANSPORT:
            close_transport(mqtt, mqttp2p_has_left(mqtt->client) == 1 || is_leaving);
            continue;
        case MQTTP2P_ACTION_TRANSMIT:
            if (!mqtt->ended) {
                answer = transport_write(mqtt, action->data.ptr, action->data.len);
                if (answer > 0) {
                    mqttp2p_transmitted(mqtt->client, (size_t)answer);
                    continue;
                }
                /* A socket that can't be written to may have something to be read: why. */
                if (answer == MQTTP2P_TLS_WANT_READ || answer == MQTTP2P_TLS_WANT_WRITE) {
                    note(mqtt, answer);
                } else {
                    fill(mqtt);
                    if (!mqtt->ended)
                        note(mqtt, answer);
                    if (mqtt->filled > mqtt->taken)
                        continue;
                }
            }
            if (mqttp2p_due_at(mqtt->client, until) != MQTTP2P_OK)
                *until = MQTTP2P_NEVER;
            break;
        case MQTTP2P_ACTION_WAIT:
            *until = action->at_ms;
            break;
        default:
            return MQTTP2P_OK;
        }
        /* Nothing more can be done now. What came has been taken, so the end may be told. */
        if (!mqtt->ended)
            return MQTTP2P_WAIT;
        {
            int32_t reason = mqtt->ended;
            close_transport(mqtt, 0);
            mqttp2p_transport_closed(mqtt->client, now_ms(), reason);
        }
    }
}

static void what_to_wait_for(const mqttp2p_posix_t *mqtt, struct pollfd fds[2])
{
    fds[0].fd = mqtt->wake_fds[0];
    fds[0].events = POLLIN;
    fds[0].revents = 0;
    /* An entry with a negative descriptor is passed over. */
    fds[1].fd = mqtt->phase == CLOSED ? -1 : mqtt->fd;
    fds[1].events = (short)((mqtt->phase == OPEN && mqtt->filled - mqtt->taken < mqtt->rx_size) ||
                                    (mqtt->phase != OPEN && mqtt->wants_read)
                                ? POLLIN
                                : 0);
    if (mqtt->wants_write || mqtt->out_taken < mqtt->out_filled)
        fds[1].events |= POLLOUT;
    fds[1].revents = 0;
}

/* Milliseconds from now to a moment, as poll(2) takes them. */
static int millis_until(uint64_t moment)
{
    uint64_t now;
    if (moment == MQTTP2P_NEVER)
        return -1;
    now = now_ms();
    if (moment <= now)
        return 0;
    return moment - now > (uint64_t)INT_MAX ? INT_MAX : (int)(moment - now);
}

/* mqttp2p_posix_next, up to a moment. */
static mqttp2p_status_t work(mqttp2p_posix_t *mqtt, mqttp2p_action_t *event, uint64_t end, int is_leaving)
{
    int is_first = 1;
    for (;;) {
        struct pollfd fds[2];
        uint64_t until = MQTTP2P_NEVER;
        int ready, timeout;
        mqttp2p_status_t status = drain(mqtt, event, is_leaving, &until);
        if (status != MQTTP2P_WAIT)
            return status;
        if (mqtt->may_have_more) {
            fill(mqtt);
            continue;
        }
        /* At least one look at the socket, also for who does not want to wait. */
        timeout = millis_until(until < end ? until : end);
        if (timeout == 0 && !is_first && end <= now_ms())
            return MQTTP2P_TIMED_OUT;
        is_first = 0;
        what_to_wait_for(mqtt, fds);
        ready = poll(fds, 2, timeout);
        if (ready < 0)
            return errno == EINTR ? MQTTP2P_WOKEN : MQTTP2P_E_SYSTEM;
        if (fds[1].revents != 0) {
            if (mqtt->phase == OPEN) {
                mqtt->wants_read = mqtt->wants_write = 0;
                flush(mqtt);
                fill(mqtt);
            } else {
                go_on_opening(mqtt, fds[1].revents);
            }
        }
        if (fds[0].revents != 0) {
            char drop[64];
            while (read(mqtt->wake_fds[0], drop, sizeof drop) == (ssize_t)sizeof drop)
                ;
            return MQTTP2P_WOKEN;
        }
    }
}

static uint64_t end_of(int timeout_ms)
{
    return timeout_ms < 0 ? MQTTP2P_NEVER : now_ms() + (uint64_t)timeout_ms;
}

/* ---- the calls ---- */

static mqttp2p_status_t set_up(mqttp2p_posix_t *mqtt)
{
    const mqttp2p_posix_options_t *options = &mqtt->options;
    mqttp2p_config_t config = MQTTP2P_CONFIG_INIT;
    mqttp2p_status_t status;
    int i;

    if (options->url == NULL || options->client_id == NULL)
        return MQTTP2P_E_NULL;
    status = parse_url(mqtt, options->url);
    if (status != MQTTP2P_OK)
        return status;
    if (mqtt->is_tls && options->tls == NULL)
        return MQTTP2P_E_NO_TLS;

    if (options->config != NULL)
        config = *options->config;
    else if (options->credentials != NULL)
        mqttp2p_config_aliyun(&config);
    mqtt->protocol = config.protocol;
    mqtt->rx_size = options->rx_size != 0 ? options->rx_size : config.max_packet_size;
    mqtt->rx = (uint8_t *)malloc(mqtt->rx_size);
    mqtt->login_size = options->credentials != NULL ? LOGIN_SIZE : 0;
    mqtt->login = (uint8_t *)malloc(LOGIN_SIZE);
    mqtt->out = (uint8_t *)malloc(mqtt->is_websocket || mqtt->is_tls ? OUT_SIZE : 1);
    if (mqtt->rx == NULL || mqtt->login == NULL || mqtt->out == NULL)
        return MQTTP2P_E_NO_MEMORY;

    if (pipe(mqtt->wake_fds) != 0)
        return MQTTP2P_E_SYSTEM;
    for (i = 0; i < 2; i++) {
        fcntl(mqtt->wake_fds[i], F_SETFD, FD_CLOEXEC);
        if (fcntl(mqtt->wake_fds[i], F_SETFL, O_NONBLOCK) < 0)
            return MQTTP2P_E_SYSTEM;
    }

    status = mqttp2p_client_new(&config, options->max_tx, &mqtt->client);
    if (status == MQTTP2P_OK && options->prepare != NULL)
        status = options->prepare(options->context, mqtt->client);
    if (status == MQTTP2P_OK && options->session.ptr != NULL)
        status = mqttp2p_session_import(mqtt->client, options->session);
    if (status == MQTTP2P_OK)
        status = mqttp2p_connect(mqtt->client, now_ms());
    return status;
}

static void tear_down(mqttp2p_posix_t *mqtt)
{
    int i;
    close_transport(mqtt, 0);
    mqttp2p_client_free(mqtt->client);
    for (i = 0; i < 2; i++)
        if (mqtt->wake_fds[i] >= 0)
            close(mqtt->wake_fds[i]);
    free(mqtt->login);
    free(mqtt->out);
    free(mqtt->rx);
    free(mqtt);
}

mqttp2p_status_t mqttp2p_posix_open(const mqttp2p_posix_options_t *options, mqttp2p_posix_t **out)
{
    mqttp2p_posix_t *mqtt;
    mqttp2p_status_t status;
    if (options == NULL || out == NULL)
        return MQTTP2P_E_NULL;
    if (options->struct_size < sizeof options->struct_size || options->struct_size > sizeof *options)
        return MQTTP2P_E_INVALID_ARGUMENT;
    mqtt = (mqttp2p_posix_t *)calloc(1, sizeof *mqtt);
    if (mqtt == NULL)
        return MQTTP2P_E_NO_MEMORY;
    /* What an older header does not know is 0. */
    memcpy(&mqtt->options, options, options->struct_size);
    mqtt->fd = mqtt->wake_fds[0] = mqtt->wake_fds[1] = -1;
    status = set_up(mqtt);
    if (status != MQTTP2P_OK) {
        int error = errno;
        tear_down(mqtt);
        errno = error;
        return status;
    }
    *out = mqtt;
    return MQTTP2P_OK;
}

mqttp2p_client_t *mqttp2p_posix_client(mqttp2p_posix_t *mqtt)
{
    return mqtt == NULL ? NULL : mqtt->client;
}

mqttp2p_status_t mqttp2p_posix_next(mqttp2p_posix_t *mqtt, mqttp2p_action_t *event, int timeout_ms)
{
    if (mqtt == NULL || event == NULL)
        return MQTTP2P_E_NULL;
    return work(mqtt, event, end_of(timeout_ms), 0);
}

mqttp2p_status_t mqttp2p_posix_wake(mqttp2p_posix_t *mqtt)
{
    int error = errno;
    ssize_t written;
    if (mqtt == NULL)
        return MQTTP2P_E_NULL;
    /* A pipe that is full wakes as well. */
    written = write(mqtt->wake_fds[1], "", 1);
    (void)written;
    errno = error;
    return MQTTP2P_OK;
}

mqttp2p_status_t mqttp2p_posix_pollfds(mqttp2p_posix_t *mqtt, struct pollfd fds[2], int *timeout_ms)
{
    uint64_t until;
    if (mqtt == NULL || fds == NULL || timeout_ms == NULL)
        return MQTTP2P_E_NULL;
    what_to_wait_for(mqtt, fds);
    if (mqttp2p_due_at(mqtt->client, &until) != MQTTP2P_OK)
        until = MQTTP2P_NEVER;
    *timeout_ms = mqtt->may_have_more || mqtt->ended ? 0 : millis_until(until);
    return MQTTP2P_OK;
}

mqttp2p_status_t mqttp2p_posix_close(mqttp2p_posix_t *mqtt, int timeout_ms)
{
    mqttp2p_status_t status;
    mqttp2p_action_t event;
    uint64_t end = end_of(timeout_ms);
    if (mqtt == NULL)
        return MQTTP2P_OK;
    mqttp2p_disconnect(mqtt->client, now_ms());
    do {
        if (mqttp2p_is_idle(mqtt->client) != 0) {
            /* Left, or beyond use. What is left to tell is told to nobody. */
            close_transport(mqtt, 0);
            tear_down(mqtt);
            return MQTTP2P_OK;
        }
        status = work(mqtt, &event, end, 1);
    } while (status == MQTTP2P_OK || status == MQTTP2P_WOKEN);
    tear_down(mqtt);
    return MQTTP2P_TIMED_OUT;
}

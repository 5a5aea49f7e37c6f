/*
 * mqttp2p with sockets: dials, waits, reads and writes, so that a program on a POSIX system needs no loop of its own.
 *
 * Compile mqttp2p_posix.c with your program: it is installed beside the library's data,
 * `$(pkg-config --variable=prefix mqttp2p)/share/mqttp2p/mqttp2p_posix.c`, and as the target `mqttp2p::posix` for CMake.
 *
 *     mqttp2p_posix_options_t options = MQTTP2P_POSIX_OPTIONS_INIT;
 *     options.url = "mqtt://127.0.0.1:1883";
 *     options.client_id = "meter-1";
 *     mqttp2p_posix_t *mqtt;
 *     if (mqttp2p_posix_open(&options, &mqtt) != MQTTP2P_OK)
 *         return 1;
 *     mqttp2p_publish(mqttp2p_posix_client(mqtt), mqttp2p_str("site/state"), mqttp2p_str("on"), 1, 0, NULL);
 *     mqttp2p_action_t event;
 *     while (mqttp2p_posix_next(mqtt, &event, 10000) == MQTTP2P_OK && event.type != MQTTP2P_EVENT_PUBLISHED)
 *         ;
 *     mqttp2p_posix_close(mqtt, 2000);
 *
 * Reconnecting, sending again and subscribing again happen on their own, within mqttp2p_posix_next: call it again and
 * again, more often than the keep alive. All of mqttp2p.h serves on the client that mqttp2p_posix_client gives, but
 * mqttp2p_poll, mqttp2p_transmitted, mqttp2p_transport_opened and mqttp2p_transport_closed, which this does.
 *
 * One thread at a time, but for mqttp2p_posix_wake. A host name is looked up by getaddrinfo, which blocks.
 */
#ifndef MQTTP2P_POSIX_H
#define MQTTP2P_POSIX_H

#include <poll.h>

#include "mqttp2p.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a TLS library's read, write and handshake answer besides a number of bytes. */
#define MQTTP2P_TLS_CLOSED 0
/* Ask again when the socket can be read from. */
#define MQTTP2P_TLS_WANT_READ (-1)
/* Ask again when the socket can be written to. */
#define MQTTP2P_TLS_WANT_WRITE (-2)
/* Failed: for this reason, MQTTP2P_REASON_TLS for instance. */
#define MQTTP2P_TLS_FAILED(reason) (-(reason))

/* A TLS library. mqttp2p_openssl.h is one for OpenSSL. */
typedef struct mqttp2p_posix_tls_t {
    /* Passed to `open`. */
    void *context;
    /* Makes a session on a connected, non-blocking socket to `host`. NULL if it can't. The socket is not to be closed,
     * and no SIGPIPE to be raised. */
    void *(*open)(void *context, int fd, const char *host);
    /* Goes on with the handshake: 1 when it is done, MQTTP2P_TLS_WANT_..., or MQTTP2P_TLS_FAILED(reason). */
    int (*handshake)(void *session);
    /* Read and write as much as is possible without waiting: a number of bytes, MQTTP2P_TLS_CLOSED,
     * MQTTP2P_TLS_WANT_..., or MQTTP2P_TLS_FAILED(reason). A write that could not be done comes again with the same bytes
     * and perhaps more. */
    long (*read)(void *session, void *room, size_t len);
    long (*write)(void *session, const void *bytes, size_t len);
    /* Ends the session; says good-bye to the peer if `clean`. */
    void (*close)(void *session, int clean);
} mqttp2p_posix_tls_t;

/* What a connection is made of. Begin with MQTTP2P_POSIX_OPTIONS_INIT. `url`, `client_id` and what pointers point to must
 * stay as it is until mqttp2p_posix_close; `config` and `session` are read by mqttp2p_posix_open only. */
typedef struct mqttp2p_posix_options_t {
    /* The size of this struct, as the INIT macro sets it. */
    uint32_t struct_size;
    /* Bytes of the receive buffer; 0: as many as config->max_packet_size. No fewer than that, or than
     * mqttp2p_tell_in_parts says: a packet that does not fit breaks the connection. */
    uint32_t rx_size;
    /* mqtt://host, mqtts://host, ws://host/path or wss://host/path; the port behind the host, or 1883, 8883, 80, 443; the
     * path, or /mqtt. An IPv6 address stands in brackets. */
    const char *url;
    /* Who this is. */
    const char *client_id;
    /* User name and password, or NULL. */
    const char *user_name;
    const char *password;
    /* For ApsaraMQ, instead of the two above: the log-in is made of this and of the client id before every CONNECT. */
    const mqttp2p_credentials_t *credentials;
    /* Instead of all these: fills in a log-in before every CONNECT, which is passed with the client id in it. Returns
     * MQTTP2P_OK; or an error, and then the attempt ends with MQTTP2P_REASON_NO_LOG_IN. For tokens that change, and wills. */
    mqttp2p_status_t (*log_in)(void *context, mqttp2p_login_t *login);
    /* Passed to `log_in`. */
    void *context;
    /* How the client behaves; NULL: with `credentials` as for ApsaraMQ, otherwise as for any broker. */
    const mqttp2p_config_t *config;
    /* For mqtts and wss. */
    const mqttp2p_posix_tls_t *tls;
    /* The most bytes of outgoing packets; 0: 64 MiB. */
    size_t max_tx;
    /* A session that mqttp2p_session_export wrote, to go on with. */
    mqttp2p_bytes_t session;
    /* What is done with the client before it is used: mqttp2p_keep_session for instance. With an error,
     * mqttp2p_posix_open ends with it. May be NULL. */
    mqttp2p_status_t (*prepare)(void *context, mqttp2p_client_t *client);
} mqttp2p_posix_options_t;

#define MQTTP2P_POSIX_OPTIONS_INIT                                                                           \
    {(uint32_t)sizeof(mqttp2p_posix_options_t), 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0,  \
     MQTTP2P_BYTES_NONE, NULL}

/* A client with its socket. */
typedef struct mqttp2p_posix_t mqttp2p_posix_t;

/*
 * Makes a client that wants a connection. It dials within mqttp2p_posix_next; what is published before waits.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_NULL; MQTTP2P_E_INVALID_ARGUMENT; MQTTP2P_E_URL; MQTTP2P_E_NO_TLS; MQTTP2P_E_NO_MEMORY;
 * MQTTP2P_E_SYSTEM; or why the session can't be taken over: see mqttp2p_session_import.
 */
mqttp2p_status_t mqttp2p_posix_open(const mqttp2p_posix_options_t *options, mqttp2p_posix_t **mqtt);

/* The client; it ends with `mqtt`. */
mqttp2p_client_t *mqttp2p_posix_client(mqttp2p_posix_t *mqtt);

/*
 * Works until something happens, for at most `timeout_ms` (-1: without a bound), and writes it to `event`: an
 * MQTTP2P_EVENT_..., or MQTTP2P_ACTION_STORE_... if the client keeps its session, which must be done before the next
 * call. Its bytes are good until the next call, which also acknowledges a message, unless config.manual_ack.
 *
 * Returns MQTTP2P_OK; MQTTP2P_TIMED_OUT; MQTTP2P_WOKEN by mqttp2p_posix_wake or a signal; MQTTP2P_E_SYSTEM if poll(2)
 * fails; or an error of mqttp2p_poll.
 */
mqttp2p_status_t mqttp2p_posix_next(mqttp2p_posix_t *mqtt, mqttp2p_action_t *event, int timeout_ms);

/*
 * Has mqttp2p_posix_next return MQTTP2P_WOKEN, now or when it is called next. The only call that any thread may make at
 * any time before mqttp2p_posix_close, and a signal handler. Returns MQTTP2P_OK or MQTTP2P_E_NULL.
 */
mqttp2p_status_t mqttp2p_posix_wake(mqttp2p_posix_t *mqtt);

/*
 * For programs with a loop of their own: what to wait for, in two entries, and for how long at most, in milliseconds
 * (-1: without a bound). Then call mqttp2p_posix_next with timeout 0 until it returns MQTTP2P_TIMED_OUT. Returns
 * MQTTP2P_OK or MQTTP2P_E_NULL.
 */
mqttp2p_status_t mqttp2p_posix_pollfds(mqttp2p_posix_t *mqtt, struct pollfd fds[2], int *timeout_ms);

/*
 * Sends what may still be sent and DISCONNECT, for at most `timeout_ms`, and frees everything. Of what has not ended by
 * then nothing is told: export the session before, and it goes on in another run. Messages that came meanwhile are not
 * acknowledged: the server delivers them again. NULL is nothing to close.
 *
 * Returns MQTTP2P_OK; MQTTP2P_TIMED_OUT if DISCONNECT did not go out in time.
 */
mqttp2p_status_t mqttp2p_posix_close(mqttp2p_posix_t *mqtt, int timeout_ms);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* MQTTP2P_POSIX_H */

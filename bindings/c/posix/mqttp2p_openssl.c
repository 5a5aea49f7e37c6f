/* TLS by OpenSSL: see mqttp2p_openssl.h. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#ifdef __APPLE__
#define _DARWIN_C_SOURCE
#endif

#include "mqttp2p_openssl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#ifndef MSG_NOSIGNAL /* Where mqttp2p_posix.c sets SO_NOSIGPIPE. */
#define MSG_NOSIGNAL 0
#endif

typedef struct context_t {
    SSL_CTX *ssl;
    BIO_METHOD *socket;
    char *server_name;
} context_t;

/* ---- the socket: OpenSSL's own would raise SIGPIPE ---- */

static int bio_fd(BIO *bio)
{
    return (int)(intptr_t)BIO_get_data(bio);
}

static int bio_done(BIO *bio, ssize_t result, int retry)
{
    BIO_clear_retry_flags(bio);
    if (result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
    return (int)result;
}

static int bio_write(BIO *bio, const char *bytes, int len)
{
    return bio_done(bio, send(bio_fd(bio), bytes, (size_t)len, MSG_NOSIGNAL), BIO_FLAGS_WRITE);
}

static int bio_read(BIO *bio, char *room, int len)
{
    return bio_done(bio, recv(bio_fd(bio), room, (size_t)len, 0), BIO_FLAGS_READ);
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

/* ---- a session ---- */

/* Why the certificate was not accepted, or the handshake failed otherwise. */
static int handshake_reason(const SSL *ssl)
{
    unsigned long error = ERR_peek_error();
    switch (SSL_get_verify_result(ssl)) {
    case X509_V_OK:
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return MQTTP2P_REASON_CERTIFICATE_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return MQTTP2P_REASON_CERTIFICATE_NOT_YET_VALID;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return MQTTP2P_REASON_WRONG_NAME;
    default:
        return MQTTP2P_REASON_UNKNOWN_AUTHORITY;
    }
    switch (ERR_GET_REASON(error)) {
    case SSL_R_WRONG_VERSION_NUMBER:
#ifdef SSL_R_PACKET_LENGTH_TOO_LONG
    case SSL_R_PACKET_LENGTH_TOO_LONG:
#endif
        return MQTTP2P_REASON_NOT_TLS;
    default:
        return MQTTP2P_REASON_TLS;
    }
}

/* Whether the server ended it for want of a client certificate. With TLS 1.3 that shows when the first bytes are read. */
static int reason_of_alert(void)
{
    switch (ERR_GET_REASON(ERR_peek_error())) {
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
#ifdef SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
#endif
        return MQTTP2P_REASON_CLIENT_CERTIFICATE;
    default:
        return 0;
    }
}

/* What a call to OpenSSL came to that did not give bytes. */
static long answer_of(SSL *ssl, int result, int is_handshake)
{
    int reason;
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return MQTTP2P_TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return MQTTP2P_TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return is_handshake ? MQTTP2P_TLS_FAILED(MQTTP2P_REASON_NOT_TLS) : MQTTP2P_TLS_CLOSED;
    case SSL_ERROR_SYSCALL:
        reason = is_handshake ? MQTTP2P_REASON_NOT_TLS : MQTTP2P_REASON_CLOSED_BY_PEER;
        break;
    default:
        reason = reason_of_alert();
        if (reason == 0 && is_handshake)
            reason = handshake_reason(ssl);
        if (reason == 0)
            reason = MQTTP2P_REASON_BROKEN;
    }
    ERR_clear_error();
    return MQTTP2P_TLS_FAILED(reason);
}

static void *session_open(void *pointer, int fd, const char *host)
{
    context_t *context = (context_t *)pointer;
    const char *name = context->server_name != NULL ? context->server_name : host;
    SSL *ssl = SSL_new(context->ssl);
    BIO *bio = BIO_new(context->socket);
    unsigned char address[16];
    int named;
    if (ssl == NULL || bio == NULL) {
        SSL_free(ssl);
        BIO_free(bio);
        return NULL;
    }
    BIO_set_data(bio, (void *)(intptr_t)fd);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
        named = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name);
    else
        named = SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
    if (named != 1) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_connect_state(ssl);
    return ssl;
}

static int session_handshake(void *session)
{
    SSL *ssl = (SSL *)session;
    int result;
    ERR_clear_error();
    result = SSL_do_handshake(ssl);
    return result == 1 ? 1 : (int)answer_of(ssl, result, 1);
}

static int bounded(size_t len)
{
    return len > INT_MAX ? INT_MAX : (int)len;
}

static long session_read(void *session, void *room, size_t len)
{
    SSL *ssl = (SSL *)session;
    int result;
    ERR_clear_error();
    result = SSL_read(ssl, room, bounded(len));
    return result > 0 ? result : answer_of(ssl, result, 0);
}

static long session_write(void *session, const void *bytes, size_t len)
{
    SSL *ssl = (SSL *)session;
    int result;
    ERR_clear_error();
    result = SSL_write(ssl, bytes, bounded(len));
    return result > 0 ? result : answer_of(ssl, result, 0);
}

static void session_close(void *session, int clean)
{
    SSL *ssl = (SSL *)session;
    if (clean)
        SSL_shutdown(ssl);
    ERR_clear_error();
    SSL_free(ssl);
}

/* ---- the calls ---- */

static void free_context(context_t *context)
{
    if (context == NULL)
        return;
    SSL_CTX_free(context->ssl);
    BIO_meth_free(context->socket);
    free(context->server_name);
    free(context);
}

static mqttp2p_status_t set_up(context_t *context, const mqttp2p_openssl_options_t *options)
{
    context->ssl = SSL_CTX_new(TLS_client_method());
    context->socket = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "mqttp2p");
    if (context->ssl == NULL || context->socket == NULL)
        return MQTTP2P_E_NO_MEMORY;
    BIO_meth_set_write(context->socket, bio_write);
    BIO_meth_set_read(context->socket, bio_read);
    BIO_meth_set_ctrl(context->socket, bio_ctrl);
    if (options->server_name != NULL) {
        size_t size = strlen(options->server_name) + 1;
        context->server_name = (char *)malloc(size);
        if (context->server_name == NULL)
            return MQTTP2P_E_NO_MEMORY;
        memcpy(context->server_name, options->server_name, size);
    }
    SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, NULL);
    /* A write that could not be done is tried again with more bytes, and perhaps from another place. */
    SSL_CTX_set_mode(context->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (SSL_CTX_set_min_proto_version(context->ssl, TLS1_2_VERSION) != 1)
        return MQTTP2P_E_SYSTEM;
    if (options->ca_file != NULL ? SSL_CTX_load_verify_locations(context->ssl, options->ca_file, NULL) != 1
                                 : SSL_CTX_set_default_verify_paths(context->ssl) != 1)
        return MQTTP2P_E_SYSTEM;
    if (options->certificate_file != NULL &&
        SSL_CTX_use_certificate_chain_file(context->ssl, options->certificate_file) != 1)
        return MQTTP2P_E_SYSTEM;
    if (options->key_file != NULL && SSL_CTX_use_PrivateKey_file(context->ssl, options->key_file, SSL_FILETYPE_PEM) != 1)
        return MQTTP2P_E_SYSTEM;
    return MQTTP2P_OK;
}

mqttp2p_status_t mqttp2p_openssl_init(const mqttp2p_openssl_options_t *options, mqttp2p_posix_tls_t *tls)
{
    context_t *context;
    mqttp2p_status_t status;
    if (options == NULL || tls == NULL)
        return MQTTP2P_E_NULL;
    if (options->struct_size != sizeof *options || options->reserved != 0)
        return MQTTP2P_E_INVALID_ARGUMENT;
    context = (context_t *)calloc(1, sizeof *context);
    if (context == NULL)
        return MQTTP2P_E_NO_MEMORY;
    status = set_up(context, options);
    if (status != MQTTP2P_OK) {
        free_context(context);
        return status;
    }
    tls->context = context;
    tls->open = session_open;
    tls->handshake = session_handshake;
    tls->read = session_read;
    tls->write = session_write;
    tls->close = session_close;
    return MQTTP2P_OK;
}

void mqttp2p_openssl_deinit(mqttp2p_posix_tls_t *tls)
{
    if (tls == NULL)
        return;
    free_context((context_t *)tls->context);
    tls->context = NULL;
}

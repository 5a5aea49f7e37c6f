/*
 * TLS for mqttp2p_posix.h by OpenSSL 1.1.1 or newer. Compile mqttp2p_openssl.c with your program and link -lssl -lcrypto;
 * it lies beside mqttp2p_posix.c.
 *
 *     mqttp2p_openssl_options_t openssl = MQTTP2P_OPENSSL_OPTIONS_INIT;
 *     mqttp2p_posix_tls_t tls;
 *     if (mqttp2p_openssl_init(&openssl, &tls) != MQTTP2P_OK)
 *         return 1;
 *     options.tls = &tls;
 */
#ifndef MQTTP2P_OPENSSL_H
#define MQTTP2P_OPENSSL_H

#include "mqttp2p_posix.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Begin with MQTTP2P_OPENSSL_OPTIONS_INIT. Read by mqttp2p_openssl_init only. */
typedef struct mqttp2p_openssl_options_t {
    /* The size of this struct, as the INIT macro sets it. */
    uint32_t struct_size;
    /* 0. */
    uint32_t reserved;
    /* A PEM file with the authorities to trust; NULL: those that OpenSSL trusts on this machine. */
    const char *ca_file;
    /* PEM files with a certificate (and what leads from it to its authority) and its key, for servers that want one; or
     * NULL. */
    const char *certificate_file;
    const char *key_file;
    /* The name that the server's certificate must be for; NULL: that of the URL. */
    const char *server_name;
} mqttp2p_openssl_options_t;

#define MQTTP2P_OPENSSL_OPTIONS_INIT {(uint32_t)sizeof(mqttp2p_openssl_options_t), 0, NULL, NULL, NULL, NULL}

/*
 * Makes TLS 1.2 and 1.3, with certificates verified, of these options: `tls` may serve any number of connections, one
 * after the other or at once.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_NULL; MQTTP2P_E_INVALID_ARGUMENT; MQTTP2P_E_NO_MEMORY; MQTTP2P_E_SYSTEM if a file can't
 * be read or holds no certificate or key: ERR_print_errors_fp says more.
 */
mqttp2p_status_t mqttp2p_openssl_init(const mqttp2p_openssl_options_t *options, mqttp2p_posix_tls_t *tls);

/* Frees it, when no connection uses it any more. NULL is nothing to free. */
void mqttp2p_openssl_deinit(mqttp2p_posix_tls_t *tls);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* MQTTP2P_OPENSSL_H */

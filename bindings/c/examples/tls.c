/*
 * Over TLS by OpenSSL: sends a message to itself.
 *
 *     tls URL CA_FILE TOPIC TEXT
 *
 * CA_FILE is a PEM file with the authority to trust, or "-" for those that the system trusts.
 */
#include <stdio.h>
#include <string.h>

#include "mqttp2p_openssl.h"

int main(int argc, char **argv)
{
    mqttp2p_openssl_options_t openssl = MQTTP2P_OPENSSL_OPTIONS_INIT;
    mqttp2p_posix_options_t options = MQTTP2P_POSIX_OPTIONS_INIT;
    mqttp2p_posix_tls_t tls;
    mqttp2p_posix_t *mqtt;
    mqttp2p_action_t event;
    mqttp2p_filter_t filter;
    mqttp2p_status_t status;
    int got = 0;

    if (argc != 5) {
        fprintf(stderr, "usage: %s URL CA_FILE TOPIC TEXT\n", argv[0]);
        return 2;
    }
    openssl.ca_file = strcmp(argv[2], "-") == 0 ? NULL : argv[2];
    status = mqttp2p_openssl_init(&openssl, &tls);
    if (status != MQTTP2P_OK) {
        fprintf(stderr, "error: no certificates in %s\n", argv[2]);
        return 1;
    }
    options.url = argv[1];
    options.client_id = "example-tls";
    options.tls = &tls;
    status = mqttp2p_posix_open(&options, &mqtt);
    if (status != MQTTP2P_OK) {
        fprintf(stderr, "error: %s\n", mqttp2p_status_str(status));
        mqttp2p_openssl_deinit(&tls);
        return 1;
    }

    filter.filter = mqttp2p_str(argv[3]);
    filter.qos = 1;
    status = mqttp2p_subscribe(mqttp2p_posix_client(mqtt), &filter, 1, NULL);
    while (status == MQTTP2P_OK && !got) {
        status = mqttp2p_posix_next(mqtt, &event, 10000);
        if (status != MQTTP2P_OK)
            break;
        if (event.type == MQTTP2P_EVENT_SUBSCRIBED) {
            status = mqttp2p_publish(mqttp2p_posix_client(mqtt), mqttp2p_str(argv[3]), mqttp2p_str(argv[4]), 1, 0, NULL);
        } else if (event.type == MQTTP2P_EVENT_MESSAGE) {
            printf("%.*s\n", (int)event.data.len, (const char *)event.data.ptr);
            got = 1;
        } else if (event.type == MQTTP2P_EVENT_DISCONNECTED || event.type == MQTTP2P_EVENT_REFUSED) {
            /* A certificate that can't be trusted, for instance. It is tried again; here once is enough. */
            uint8_t text[512];
            size_t len = 0;
            mqttp2p_reason_describe(event.reason, text, sizeof text, &len);
            fprintf(stderr, "%.*s\n", (int)(len < sizeof text ? len : sizeof text), (const char *)text);
            break;
        }
    }
    if (status != MQTTP2P_OK)
        fprintf(stderr, "error: %s\n", mqttp2p_status_str(status));
    mqttp2p_posix_close(mqtt, 2000);
    mqttp2p_openssl_deinit(&tls);
    return got ? 0 : 1;
}

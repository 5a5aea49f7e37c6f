/*
 * Nothing is lost while there is no server: messages are accepted at once, and go out when there is one, if need be in
 * another run of the program.
 *
 *     offline_queue URL FILE TOPIC [TEXT...]
 *
 * Accepts the texts, tries for two seconds to send them and what FILE has kept, and keeps in FILE what is left. Prints
 * how many were sent and how many are left.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mqttp2p_posix.h"

/* Reads a whole file; an empty one if there is none. */
static uint8_t *load(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    long size;
    *len = 0;
    if (file == NULL)
        return NULL;
    if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) > 0 && fseek(file, 0, SEEK_SET) == 0) {
        bytes = malloc((size_t)size);
        if (bytes != NULL)
            *len = fread(bytes, 1, (size_t)size, file);
    }
    fclose(file);
    return bytes;
}

/* Writes the session beside the old one first, so that one of the two is always whole. */
static int keep(mqttp2p_client_t *client, const char *path)
{
    char temporary[4096];
    uint8_t *bytes;
    size_t len = 0;
    FILE *file;
    int good;
    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
        return 0;
    mqttp2p_session_export(client, NULL, 0, &len);
    bytes = malloc(len);
    file = fopen(temporary, "wb");
    good = bytes != NULL && file != NULL && mqttp2p_session_export(client, bytes, len, &len) == MQTTP2P_OK &&
           fwrite(bytes, 1, len, file) == len;
    if (file != NULL)
        good = fclose(file) == 0 && good;
    free(bytes);
    return good && rename(temporary, path) == 0;
}

int main(int argc, char **argv)
{
    mqttp2p_posix_options_t options = MQTTP2P_POSIX_OPTIONS_INIT;
    mqttp2p_posix_t *mqtt;
    mqttp2p_client_t *client;
    mqttp2p_action_t event;
    mqttp2p_status_t status;
    uint8_t *kept;
    size_t len, left = 0;
    int i, sent = 0, good;

    if (argc < 4) {
        fprintf(stderr, "usage: %s URL FILE TOPIC [TEXT...]\n", argv[0]);
        return 2;
    }
    kept = load(argv[2], &len);
    options.url = argv[1];
    options.client_id = "example-offline-queue";
    if (len > 0)
        options.session = mqttp2p_bytes(kept, len);
    status = mqttp2p_posix_open(&options, &mqtt);
    free(kept);
    if (status != MQTTP2P_OK) {
        fprintf(stderr, "error: %s\n", mqttp2p_status_str(status));
        return 1;
    }

    client = mqttp2p_posix_client(mqtt);
    for (i = 4; i < argc; i++) {
        status = mqttp2p_publish(client, mqttp2p_str(argv[3]), mqttp2p_str(argv[i]), 1, 0, NULL);
        if (status != MQTTP2P_OK)
            fprintf(stderr, "error: %s\n", mqttp2p_status_str(status));
    }
    do {
        status = mqttp2p_posix_next(mqtt, &event, 2000);
        if (status == MQTTP2P_OK && event.type == MQTTP2P_EVENT_PUBLISHED)
            sent++;
        mqttp2p_requests(client, NULL, 0, &left);
    } while (status == MQTTP2P_OK && left > 0);

    good = keep(client, argv[2]);
    if (!good)
        fprintf(stderr, "error: the session was not kept in %s\n", argv[2]);
    printf("sent %d, left %lu\n", sent, (unsigned long)left);
    mqttp2p_posix_close(mqtt, 2000);
    return good ? 0 : 1;
}

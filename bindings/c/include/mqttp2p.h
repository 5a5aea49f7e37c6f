/*
 * mqttp2p: an MQTT 3.1 and 3.1.1 client as a state machine: events in, actions out; with the log-ins and P2P messages
 * of Alibaba Cloud's ApsaraMQ. It does no IO, reads no clock, and in memory of the caller's it needs no heap.
 *
 * This file is made of the source in bindings/c/src: do not edit it.
 *
 * How to drive a client, in three steps:
 *
 *   1. Say what happens: mqttp2p_connect, mqttp2p_publish, mqttp2p_transport_opened, ... None blocks.
 *   2. Then drain: call mqttp2p_poll with the time and the bytes that came in, and do what the action says, again and
 *      again until it returns MQTTP2P_WAIT.
 *   3. Sleep until that moment, until bytes come, or until there is something to say.
 *
 * mqttp2p_posix.h does all that with sockets. Rules that hold for all calls:
 *
 *   - A call returns 0 for done, above 0 if nothing was wrong and there is nothing to do or to tell, below 0 for an
 *     error: then nothing has happened, and nothing that was accepted before is lost. mqttp2p_status_str says what to do.
 *   - Nothing is called back. Nothing is printed. errno is not touched.
 *   - An object may be used from one thread at a time, whatever the call; different objects from different threads. A
 *     second use at the same time gets MQTTP2P_E_BUSY. Calls without an object may be made from any thread.
 *   - Bytes that are passed in are read in that call only. Bytes that come out are borrowed: each call says for how long.
 *     Where that is until the next call with the same object, pass copies of them to that call.
 *   - Text is UTF-8, with a length and without a NUL at its end.
 *   - NULL, misaligned and too small memory, numbers out of range and objects that are not there get a status. What no
 *     library can see stays the caller's duty: that other pointers are good, and that an object is not used after its
 *     memory was freed.
 */
#ifndef MQTTP2P_H
#define MQTTP2P_H


#include <stddef.h>
#include <stdint.h>

/* Hosted builds have a heap: mqttp2p_client_new. Define MQTTP2P_FREESTANDING for a library built without. */
#if !defined(MQTTP2P_FREESTANDING)
#define MQTTP2P_HOSTED 1
#endif


/**
 * Dial: resolve the name again, renew a token, and answer with mqttp2p_transport_opened or
 * mqttp2p_transport_closed. count: the attempts since the last stable connection, from 1.
 */
#define MQTTP2P_ACTION_OPEN_TRANSPORT 1

/**
 * Write some of data, whole packets one behind the other but for the first, whose beginning may have gone out before;
 * and tell how much by mqttp2p_transmitted. data is the client's and good until the next call with this client.
 */
#define MQTTP2P_ACTION_TRANSMIT 2

/**
 * Close the transport, or give up dialling. Nothing more is to be said of that transport.
 */
#define MQTTP2P_ACTION_CLOSE_TRANSPORT 3

/**
 * Keep the record key with data, in the place of one with the same key, before any later TRANSMIT is carried out.
 * Only after mqttp2p_keep_session.
 */
#define MQTTP2P_ACTION_STORE_PUT 4

/**
 * Forget the record key, if there is one.
 */
#define MQTTP2P_ACTION_STORE_REMOVE 5

/**
 * Nothing to do until there is input or until at_ms. mqttp2p_poll returned MQTTP2P_WAIT.
 */
#define MQTTP2P_ACTION_WAIT 6

/**
 * The server accepted the log-in. flag: it continues a session.
 */
#define MQTTP2P_EVENT_CONNECTED 16

/**
 * The server refused the log-in for reason; this ends the attempt. at_ms: when the next one follows.
 */
#define MQTTP2P_EVENT_REFUSED 17

/**
 * The connection ended, or did not come about, for reason; this ends the attempt. at_ms: when the next one follows.
 */
#define MQTTP2P_EVENT_DISCONNECTED 18

/**
 * A message: topic, data, qos, retain, dup, ack. The bytes lie in the caller's receive buffer.
 */
#define MQTTP2P_EVENT_MESSAGE 19

/**
 * A long message begins, with count bytes of payload in parts; otherwise as MQTTP2P_EVENT_MESSAGE. Only after
 * mqttp2p_tell_in_parts.
 */
#define MQTTP2P_EVENT_MESSAGE_BEGIN 20

/**
 * The next bytes of its payload: data.
 */
#define MQTTP2P_EVENT_MESSAGE_PART 21

/**
 * It has come entirely: ack.
 */
#define MQTTP2P_EVENT_MESSAGE_END 22

/**
 * A publication is through: handed to the transport (QoS 0) or acknowledged (QoS 1 and 2). ticket.
 */
#define MQTTP2P_EVENT_PUBLISHED 23

/**
 * The publication of mqttp2p_publish_alone is acknowledged.
 */
#define MQTTP2P_EVENT_PUBLISHED_ALONE 24

/**
 * A SUBSCRIBE was answered: ticket, and in data a return code for each filter: 0, 1, 2 or 0x80, refused. The bytes
 * lie in the caller's receive buffer.
 */
#define MQTTP2P_EVENT_SUBSCRIBED 25

/**
 * An UNSUBSCRIBE was answered. ticket.
 */
#define MQTTP2P_EVENT_UNSUBSCRIBED 26

/**
 * A request was given up, by mqttp2p_abandon. ticket, and in detail why: MQTTP2P_DROPPED_....
 */
#define MQTTP2P_EVENT_DROPPED 27

/**
 * Subscriptions were asked for again after a reconnect: data has a return code for each, from number count of
 * mqttp2p_subscription on.
 */
#define MQTTP2P_EVENT_RESUBSCRIBED 28

/**
 * The server refused a publication: ticket, and in detail its MQTT 5 reason code. MQTT 3.1.1 has no such answer, so a
 * connection with MQTT 3.1.1 never reports it.
 */
#define MQTTP2P_EVENT_REJECTED 29

/**
 * Something that this version of the binding has no number for. Nothing is to be done.
 */
#define MQTTP2P_EVENT_OTHER 30

/**
 * The caller gave the request up.
 */
#define MQTTP2P_DROPPED_CANCELLED 1

/**
 * A reason that this version of the binding has no number for.
 */
#define MQTTP2P_DROPPED_OTHER 0

/**
 * A moment that does not come.
 */
#define MQTTP2P_NEVER UINT64_MAX

/**
 * How many bytes a record's key has.
 */
#define MQTTP2P_KEY_LEN 5

/**
 * The longest client id, in bytes (ApsaraMQ docs: limits).
 */
#define MQTTP2P_ALIYUN_CLIENT_ID_MAX 64

/**
 * The account's key signs the client id: access_key_id, secret, instance_id (ApsaraMQ docs: signature
 * authentication). Not for devices that others can open.
 */
#define MQTTP2P_ALIYUN_SIGNATURE 1

/**
 * Tokens that a server of the user's applied for: access_key_id, instance_id and at least one of token_r,
 * token_w, token_rw (ApsaraMQ docs: token authentication).
 */
#define MQTTP2P_ALIYUN_TOKEN 2

/**
 * The device's own key signs the client id: access_key_id, secret, which both begin with DC., and instance_id
 * (ApsaraMQ docs: unique certificate per device).
 */
#define MQTTP2P_ALIYUN_DEVICE_CREDENTIAL 3

/**
 * A registered secret signs the client id: user_name, secret (ApsaraMQ docs: custom authentication, SIGNED).
 */
#define MQTTP2P_ALIYUN_CUSTOM_SIGNED 4

/**
 * A registered secret is the password: user_name, secret (ApsaraMQ docs: custom authentication, ORIGIN).
 */
#define MQTTP2P_ALIYUN_CUSTOM_ORIGIN 5

/**
 * A server computed the password, by mqttp2p_aliyun_sign, so that the device never holds the secret: access_key_id,
 * instance_id, and the password as secret.
 */
#define MQTTP2P_ALIYUN_PRECOMPUTED 6

/**
 * How long a signature is, in bytes.
 */
#define MQTTP2P_ALIYUN_SIGNATURE_LEN 28

/**
 * How many keys a mqttp2p_deduplicator_t remembers.
 */
#define MQTTP2P_DEDUPLICATOR_KEYS 256

/**
 * How many bytes a mqttp2p_deduplicator_t takes at most; aligned to 8: see mqttp2p_deduplicator_memory_t.
 */
#define MQTTP2P_DEDUPLICATOR_SIZE 2176

/**
 * Nothing beyond the reason itself.
 */
#define MQTTP2P_CAUSE_NONE 0

/**
 * The service closed the connection instead of answering the log-in: check that the group id exists in the console.
 */
#define MQTTP2P_CAUSE_LOGIN 1

/**
 * A packet of length bytes was larger than the service takes.
 */
#define MQTTP2P_CAUSE_OVERSIZE 2

/**
 * A topic of length bytes was longer than the service takes.
 */
#define MQTTP2P_CAUSE_TOPIC_TOO_LONG 3

/**
 * The parent topic parent does not exist, or this client may not use it.
 */
#define MQTTP2P_CAUSE_TOPIC_NOT_AUTHORISED 4

/**
 * Another client uses the same client id.
 */
#define MQTTP2P_CAUSE_TAKEOVER 5

/**
 * A likely cause that this version of the binding has no number for.
 */
#define MQTTP2P_CAUSE_OTHER 6

/**
 * How many bytes a mqttp2p_diagnosis_t takes at most; aligned to 8: see mqttp2p_diagnosis_memory_t.
 */
#define MQTTP2P_DIAGNOSIS_SIZE 704

/**
 * The longest payload, in bytes (ApsaraMQ docs: limits).
 */
#define MQTTP2P_ALIYUN_PAYLOAD_MAX 65536

/**
 * The most subscriptions of one client (ApsaraMQ docs: limits).
 */
#define MQTTP2P_ALIYUN_SUBSCRIPTIONS_MAX 30

/**
 * Messages in a second that one client should not exceed (ApsaraMQ docs: limits): for mqttp2p_pace.
 */
#define MQTTP2P_ALIYUN_MESSAGES_PER_SECOND 20

/**
 * The topic is longer than the service documents.
 */
#define MQTTP2P_WARNING_TOO_LONG 11

/**
 * The topic has a character that the service does not document.
 */
#define MQTTP2P_WARNING_CHARACTER 12

/**
 * The longest P2P topic, in bytes.
 */
#define MQTTP2P_ALIYUN_P2P_TOPIC_MAX 133

/**
 * A token to receive. Types are bits, so that several make a set.
 */
#define MQTTP2P_TOKEN_R 1

/**
 * A token to publish.
 */
#define MQTTP2P_TOKEN_W 2

/**
 * A token to publish and to receive.
 */
#define MQTTP2P_TOKEN_RW 4

/**
 * The token will expire at expires_at_ms.
 */
#define MQTTP2P_NOTICE_EXPIRE 1

/**
 * The token is not valid, for the reason code. The service closes the connection next, or has closed the one before.
 */
#define MQTTP2P_NOTICE_INVALID 2

/**
 * It is about no token that is in use: nothing is to be done.
 */
#define MQTTP2P_ADVICE_STALE 0

/**
 * A new token is needed; mqttp2p_token_lifecycle_due says of which types, and when.
 */
#define MQTTP2P_ADVICE_RENEW 1

/**
 * New tokens do not help: what they are issued for is wrong, or the log-in is. A person has to look. Nothing is due and
 * no log-in allowed before mqttp2p_token_lifecycle_start_over.
 */
#define MQTTP2P_ADVICE_GIVE_UP 2

/**
 * How many bytes a mqttp2p_token_lifecycle_t takes at most; aligned to 8: see mqttp2p_token_lifecycle_memory_t.
 */
#define MQTTP2P_TOKEN_LIFECYCLE_SIZE 416

/**
 * How many bytes a client takes at most where pointers have 4 bytes: see MQTTP2P_CLIENT_SIZE.
 */
#define MQTTP2P_CLIENT_SIZE_32 416

/**
 * How many bytes a client takes at most where pointers have 8 bytes: see MQTTP2P_CLIENT_SIZE.
 */
#define MQTTP2P_CLIENT_SIZE_64 640

/**
 * MQTT 3.1.1.
 */
#define MQTTP2P_PROTOCOL_V311 4

/**
 * MQTT 3.1.
 */
#define MQTTP2P_PROTOCOL_V31 3

/**
 * Ask for subscriptions again when CONNACK says that the server has no session for this client.
 */
#define MQTTP2P_RESUBSCRIBE_WITHOUT_SESSION 0

/**
 * After every CONNACK: for servers whose word on the session can't be relied on.
 */
#define MQTTP2P_RESUBSCRIBE_ALWAYS 1

/**
 * Never: the caller does it.
 */
#define MQTTP2P_RESUBSCRIBE_NEVER 2

/**
 * While there is no connection, accept everything for later, as long as there is room.
 */
#define MQTTP2P_OFFLINE_QUEUE_ALL 0

/**
 * Accept publications of QoS 1 and 2, subscriptions and unsubscriptions.
 */
#define MQTTP2P_OFFLINE_QUEUE_ACKNOWLEDGED 1

/**
 * Accept nothing.
 */
#define MQTTP2P_OFFLINE_REFUSE 2

/**
 * The caller asked for it.
 */
#define MQTTP2P_REASON_REQUESTED 1

/**
 * The caller paused the client while it was connecting.
 */
#define MQTTP2P_REASON_PAUSED 2

/**
 * No CONNACK within connect_timeout_ms.
 */
#define MQTTP2P_REASON_CONNECT_TIMEOUT 3

/**
 * No answer to a ping within ping_timeout_ms.
 */
#define MQTTP2P_REASON_KEEP_ALIVE_TIMEOUT 4

/**
 * The peer closed several connections in a row shortly after it had accepted them: another client may use this client
 * id.
 */
#define MQTTP2P_REASON_TAKEOVER_SUSPECTED 5

/**
 * The peer sent a packet that a server may not send then.
 */
#define MQTTP2P_REASON_UNEXPECTED 6

/**
 * The peer sent a SUBACK that does not fit its SUBSCRIBE, or claims a session that the client did not want.
 */
#define MQTTP2P_REASON_CONTRADICTION 7

/**
 * The peer has more messages of QoS 2 under way than inbound.
 */
#define MQTTP2P_REASON_INBOUND_FULL 8

/**
 * The log-in can't be sent, or the memory has no room for it.
 */
#define MQTTP2P_REASON_INVALID_LOGIN 9

/**
 * The log-in has a will, which the service does not know.
 */
#define MQTTP2P_REASON_WILL_UNSUPPORTED 10

/**
 * The peer sent what is no MQTT.
 */
#define MQTTP2P_REASON_MALFORMED 11

/**
 * The peer sent a packet longer than max_packet_size; detail of the event is its length.
 */
#define MQTTP2P_REASON_PACKET_TOO_LARGE 12

/**
 * A reason that this version of the binding has no number for.
 */
#define MQTTP2P_REASON_OTHER 99

/**
 * The name could not be resolved. From here to 199: what the caller tells mqttp2p_transport_closed.
 */
#define MQTTP2P_REASON_NAME_NOT_FOUND 101

/**
 * Nobody listens there.
 */
#define MQTTP2P_REASON_CONNECTION_REFUSED 102

/**
 * There is no way to the host, or no answer from it.
 */
#define MQTTP2P_REASON_UNREACHABLE 103

/**
 * There was no log-in to be had.
 */
#define MQTTP2P_REASON_NO_LOG_IN 104

/**
 * The TLS handshake failed for another reason than those below.
 */
#define MQTTP2P_REASON_TLS 105

/**
 * What answers the TLS handshake speaks no TLS, or ends the connection.
 */
#define MQTTP2P_REASON_NOT_TLS 106

/**
 * No trusted authority stands behind the server's certificate.
 */
#define MQTTP2P_REASON_UNKNOWN_AUTHORITY 107

/**
 * The server's certificate is that of an authority, which is no server's.
 */
#define MQTTP2P_REASON_AUTHORITY_AS_SERVER 108

/**
 * The server's certificate has expired, by the clock of this machine.
 */
#define MQTTP2P_REASON_CERTIFICATE_EXPIRED 109

/**
 * The server's certificate is not valid yet, by the clock of this machine.
 */
#define MQTTP2P_REASON_CERTIFICATE_NOT_YET_VALID 110

/**
 * The server's certificate is for other names.
 */
#define MQTTP2P_REASON_WRONG_NAME 111

/**
 * The server wants a client certificate, or another one.
 */
#define MQTTP2P_REASON_CLIENT_CERTIFICATE 112

/**
 * The proxy can't be reached, or does not let the connection through.
 */
#define MQTTP2P_REASON_PROXY 113

/**
 * What answers CONNECT speaks another protocol than MQTT.
 */
#define MQTTP2P_REASON_NOT_MQTT 114

/**
 * The WebSocket upgrade was refused.
 */
#define MQTTP2P_REASON_UPGRADE 115

/**
 * The peer closed the connection.
 */
#define MQTTP2P_REASON_CLOSED_BY_PEER 116

/**
 * The connection broke.
 */
#define MQTTP2P_REASON_BROKEN 117

/**
 * CONNACK 1: the server does not speak this edition of the protocol. From here on: MQTTP2P_EVENT_REFUSED.
 */
#define MQTTP2P_REASON_REFUSED_PROTOCOL 201

/**
 * CONNACK 2: the client identifier is not allowed.
 */
#define MQTTP2P_REASON_REFUSED_CLIENT_ID 202

/**
 * CONNACK 3: the server is there but can't serve now.
 */
#define MQTTP2P_REASON_REFUSED_UNAVAILABLE 203

/**
 * CONNACK 4: user name or password is wrong.
 */
#define MQTTP2P_REASON_REFUSED_PASSWORD 204

/**
 * CONNACK 5: the client may not connect.
 */
#define MQTTP2P_REASON_REFUSED_NOT_AUTHORIZED 205

/**
 * How many topic filters one call takes.
 */
#define MQTTP2P_MAX_FILTERS 16

/**
 * How many bytes a mqttp2p_websocket_t takes at most; aligned to 8: see mqttp2p_websocket_memory_t.
 */
#define MQTTP2P_WEBSOCKET_SIZE 384

/**
 * How many bytes mqttp2p_websocket_transmit always gets on with.
 */
#define MQTTP2P_WEBSOCKET_MIN_ROOM 131

/**
 * A client. What it is made of is the library's affair.
 */
typedef struct mqttp2p_client_t mqttp2p_client_t;

/**
 * Remembers the last MQTTP2P_DEDUPLICATOR_KEYS keys of messages, and so lets through each message once. The service
 * repeats messages of QoS 1 under new packet identifiers and without DUP: what makes a message the same is for the
 * application to know (an order's number, say). What it is made of is the library's affair.
 */
typedef struct mqttp2p_deduplicator_t mqttp2p_deduplicator_t;

/**
 * Remembers what the service may have closed the connection for: MQTT 3.1.1 has no way for it to say so. What it is made
 * of is the library's affair.
 */
typedef struct mqttp2p_diagnosis_t mqttp2p_diagnosis_t;

/**
 * The life of up to three tokens, one of each type. It holds no token, only times and what happened. What it is made
 * of is the library's affair.
 *
 * Before every CONNECT: for each type that is due, ask whoever issues tokens, and tell it by _obtained or _failed.
 * Then log in only if _log_in says 1. Online, wait for _due_at or a notice, obtain, and if _upload says 1, send the
 * upload, and _uploaded after MQTTP2P_EVENT_PUBLISHED_ALONE. Times are milliseconds since 1970.
 */
typedef struct mqttp2p_token_lifecycle_t mqttp2p_token_lifecycle_t;

/**
 * The client's end of a WebSocket (RFC 6455) that carries MQTT, over any number of connections one after the other. What
 * it is made of is the library's affair.
 *
 * Once the stream is there, send what mqttp2p_websocket_open writes. What comes in goes through _receive, which
 * leaves MQTT of it; once _is_open is 1, call mqttp2p_transport_opened. What MQTTP2P_ACTION_TRANSMIT has goes out
 * through _transmit; call it without packets as well while _wants_transmit is 1. When _end says so, the connection
 * is over.
 */
typedef struct mqttp2p_websocket_t mqttp2p_websocket_t;

/**
 * What a call answers. 0: done. Above 0: nothing was wrong, and there is nothing to do or to tell. Below 0: an error,
 * and nothing has happened; -1xx is the caller's fault, -2xx a lack of resources, -3xx the network's, -4xx the
 * peer's, -9xx this library's.
 */
typedef int32_t mqttp2p_status_t;

/**
 * Bytes that somebody else owns. Text is not ended by NUL. ptr may be NULL if len is 0, and stands for nothing
 * where that differs from an empty text.
 */
typedef struct mqttp2p_bytes_t {
    /**
     * The first of them.
     */
    const uint8_t *ptr;
    /**
     * How many.
     */
    size_t len;
} mqttp2p_bytes_t;

/**
 * The next thing to do, or what happened. type says which fields have a meaning; the others hold anything.
 */
typedef struct mqttp2p_action_t {
    /**
     * MQTTP2P_ACTION_... or MQTTP2P_EVENT_...
     */
    uint32_t type;
    /**
     * As mqttp2p_publish, mqttp2p_subscribe or mqttp2p_unsubscribe gave it.
     */
    uint32_t ticket;
    /**
     * Bytes to write, to keep, or that came.
     */
    struct mqttp2p_bytes_t data;
    /**
     * The topic name of a message, UTF-8.
     */
    struct mqttp2p_bytes_t topic;
    /**
     * What mqttp2p_acknowledge takes; 0 with QoS 0.
     */
    uint64_t ack;
    /**
     * A moment on the caller's clock, in milliseconds, or MQTTP2P_NEVER.
     */
    uint64_t at_ms;
    /**
     * MQTTP2P_REASON_...
     */
    int32_t reason;
    /**
     * More about the reason: of MQTTP2P_REASON_PACKET_TOO_LARGE the packet's length, of MQTTP2P_REASON_UNEXPECTED its type,
     * of MQTTP2P_EVENT_DROPPED and _REJECTED the reason itself.
     */
    uint32_t detail;
    /**
     * A number: see the types.
     */
    uint32_t count;
    /**
     * The QoS at which it was delivered: 0, 1 or 2.
     */
    uint8_t qos;
    /**
     * 1: the server had kept the message for new subscribers.
     */
    uint8_t retain;
    /**
     * 1: the server believes to have sent the message before. That does not say whether it arrived.
     */
    uint8_t dup;
    /**
     * 1 or 0: see the types.
     */
    uint8_t flag;
    /**
     * A record's key, to be compared byte by byte.
     */
    uint8_t key[MQTTP2P_KEY_LEN];
} mqttp2p_action_t;

/**
 * What a client proves itself with. Begin with MQTTP2P_CREDENTIALS_INIT, set mode and what it names.
 */
typedef struct mqttp2p_credentials_t {
    /**
     * The size of this struct, as the INIT macro sets it.
     */
    uint32_t struct_size;
    /**
     * MQTTP2P_ALIYUN_SIGNATURE or another of the modes.
     */
    uint32_t mode;
    /**
     * Id of the account's access key, or of the device's.
     */
    struct mqttp2p_bytes_t access_key_id;
    /**
     * The key's secret, a registered secret, or a password.
     */
    struct mqttp2p_bytes_t secret;
    /**
     * The instance: the first label of its endpoint's name.
     */
    struct mqttp2p_bytes_t instance_id;
    /**
     * The user name of custom authentication.
     */
    struct mqttp2p_bytes_t user_name;
    /**
     * A token to receive.
     */
    struct mqttp2p_bytes_t token_r;
    /**
     * A token to publish.
     */
    struct mqttp2p_bytes_t token_w;
    /**
     * A token to publish and to receive.
     */
    struct mqttp2p_bytes_t token_rw;
} mqttp2p_credentials_t;

/**
 * What CONNECT says of the client. Begin with MQTTP2P_LOGIN_INIT. What has no ptr is left out.
 */
typedef struct mqttp2p_login_t {
    /**
     * The size of this struct, as the INIT macro sets it.
     */
    uint32_t struct_size;
    /**
     * QoS of the will.
     */
    uint8_t will_qos;
    /**
     * 1 if the server should keep the will for later subscribers.
     */
    uint8_t will_retain;
    /**
     * 0.
     */
    uint16_t reserved;
    /**
     * Who this is, UTF-8. May be empty with a clean session only [MQTT-3.1.3-7].
     */
    struct mqttp2p_bytes_t client_id;
    /**
     * User name, UTF-8.
     */
    struct mqttp2p_bytes_t user_name;
    /**
     * Password, with a user name only [MQTT-3.1.2-22].
     */
    struct mqttp2p_bytes_t password;
    /**
     * Topic name of what the server publishes if this client vanishes.
     */
    struct mqttp2p_bytes_t will_topic;
    /**
     * Payload of that.
     */
    struct mqttp2p_bytes_t will_payload;
} mqttp2p_login_t;

/**
 * A likely cause: the service does not say. Texts are good until the next call with the same diagnosis.
 */
typedef struct mqttp2p_cause_t {
    /**
     * MQTTP2P_CAUSE_...
     */
    uint32_t type;
    /**
     * A length in bytes: see the types.
     */
    size_t length;
    /**
     * A parent topic: see the types.
     */
    struct mqttp2p_bytes_t parent;
    /**
     * What to do about it, in one sentence.
     */
    struct mqttp2p_bytes_t advice;
} mqttp2p_cause_t;

/**
 * A P2P topic, taken apart. The ranges lie in the topic.
 */
typedef struct mqttp2p_p2p_t {
    /**
     * The parent topic.
     */
    struct mqttp2p_bytes_t parent;
    /**
     * The client id of the receiver.
     */
    struct mqttp2p_bytes_t target;
    /**
     * What follows the client id, without slashes around it; ptr is NULL if nothing does.
     */
    struct mqttp2p_bytes_t rest;
} mqttp2p_p2p_t;

/**
 * What the service says about a token (ApsaraMQ docs: token authentication).
 */
typedef struct mqttp2p_token_notice_t {
    /**
     * MQTTP2P_NOTICE_EXPIRE or MQTTP2P_NOTICE_INVALID.
     */
    uint32_t type;
    /**
     * MQTTP2P_TOKEN_R, _W or _RW.
     */
    uint32_t token;
    /**
     * When it expires, in milliseconds since 1970.
     */
    uint64_t expires_at_ms;
    /**
     * Why it is not valid: 1 forged, 2 expired, 3 revoked, 4 not for this topic, 5 not for this action, 8 bad signature,
     * -1 the account may not.
     */
    int32_t code;
} mqttp2p_token_notice_t;

/**
 * How careful a mqttp2p_token_lifecycle_t is, in milliseconds. Begin with MQTTP2P_MARGINS_INIT.
 */
typedef struct mqttp2p_margins_t {
    /**
     * The size of this struct, as the INIT macro sets it.
     */
    uint32_t struct_size;
    /**
     * A token counts as expired so long before it does.
     */
    uint32_t clock_skew_ms;
    /**
     * A new token is due so long before the old one expires, or after three quarters of its life if that is later.
     */
    uint32_t renew_before_ms;
    /**
     * The pause after a failure to get a token. It doubles with every further one.
     */
    uint32_t initial_backoff_ms;
    /**
     * The longest pause.
     */
    uint32_t max_backoff_ms;
    /**
     * So long after the service accepted it, a token is young: a notice that it is not valid can be about the one before.
     */
    uint32_t grace_period_ms;
} mqttp2p_margins_t;

/**
 * How a client behaves. Begin with MQTTP2P_CONFIG_INIT, or with MQTTP2P_CONFIG_ALIYUN_INIT for ApsaraMQ, and change
 * what should differ.
 */
typedef struct mqttp2p_config_t {
    /**
     * The size of this struct, as the INIT macros set it.
     */
    uint32_t struct_size;
    /**
     * The edition to speak: MQTTP2P_PROTOCOL_V311 or MQTTP2P_PROTOCOL_V31.
     */
    uint8_t protocol;
    /**
     * 1: ask the server to forget the session when a connection ends [MQTT-3.1.2-6]. What this client has accepted
     * lives on either way.
     */
    uint8_t clean_session;
    /**
     * The longest silence of the client, in seconds; 0 turns keep alive off [MQTT-3.1.2-23]. A ping goes out an
     * eighth earlier, also if nothing was received for so long.
     */
    uint16_t keep_alive_secs;
    /**
     * How long a ping may wait for its answer before the connection counts as dead, in milliseconds.
     */
    uint32_t ping_timeout_ms;
    /**
     * How long an attempt to connect may take, from MQTTP2P_ACTION_OPEN_TRANSPORT to CONNACK, in milliseconds.
     */
    uint32_t connect_timeout_ms;
    /**
     * The wait before the next attempt: any time up to this many milliseconds after the first failure, and up to twice
     * as many after each further one.
     */
    uint32_t backoff_base_ms;
    /**
     * The bound of that doubling, in milliseconds. 0: no doubling and no chance, always backoff_base_ms.
     */
    uint32_t backoff_cap_ms;
    /**
     * A connection that lasted so many milliseconds proves that all is well: the wait begins anew after it.
     */
    uint32_t stable_after_ms;
    /**
     * How many milliseconds to stay away, at most, when another client seems to use this client id.
     */
    uint32_t takeover_delay_ms;
    /**
     * The longest packet taken from the server, in bytes with its fixed header. The receive buffer must hold as much,
     * unless mqttp2p_tell_in_parts was called.
     */
    uint32_t max_packet_size;
    /**
     * How many publications of QoS 1 and 2 may be under way at once.
     */
    uint16_t max_in_flight;
    /**
     * When subscriptions are asked for again after a reconnect: MQTTP2P_RESUBSCRIBE_...
     */
    uint8_t resubscribe;
    /**
     * What may be published while there is no connection: MQTTP2P_OFFLINE_...
     */
    uint8_t offline;
    /**
     * 1: acknowledge messages only when mqttp2p_acknowledge says so.
     */
    uint8_t manual_ack;
    /**
     * 1 if the service knows retained messages.
     */
    uint8_t retain;
    /**
     * 1 if the service knows wills.
     */
    uint8_t will;
    /**
     * 1: the end of publications of QoS 0 is told by MQTTP2P_EVENT_PUBLISHED. 0: they end silently once their bytes are
     * handed over, which spares a poll for each; given up, they end in MQTTP2P_EVENT_DROPPED either way.
     */
    uint8_t tell_qos_0;
    /**
     * The longest payload that the service takes, in bytes.
     */
    uint32_t max_payload;
    /**
     * The most subscriptions that the service grants.
     */
    uint16_t max_subscriptions;
    /**
     * The longest keep alive that the service takes, in seconds; if it is not 65535, 0 becomes this too.
     */
    uint16_t max_keep_alive_secs;
    /**
     * For mqttp2p_client_init: how many requests can be under way at once, 16 bytes of the buffer each.
     */
    uint16_t requests;
    /**
     * For mqttp2p_client_init: how many incoming messages of QoS 2 can be under way at once, 4 bytes each.
     */
    uint16_t inbound;
    /**
     * For mqttp2p_client_init: bytes of the buffer for acknowledgements, pings and the log-in, which must fit: at
     * least 64 more than client id, user name, password and will.
     */
    uint32_t control_bytes;
    /**
     * For mqttp2p_client_init: bytes of the buffer for subscriptions, of each the length of its filter and 3.
     */
    uint32_t subscription_bytes;
    /**
     * Any number that differs from device to device and from start to start; it spreads the attempts to reconnect.
     * Hosted, 0 has the library choose one.
     */
    uint64_t seed;
} mqttp2p_config_t;

/**
 * Counters since the client was made. They stop at their largest number.
 */
typedef struct mqttp2p_stats_t {
    /**
     * Acknowledgements that answer nothing under way.
     */
    uint32_t unexpected_acks;
    /**
     * Messages of QoS 2 that came again and were not delivered again.
     */
    uint32_t duplicates;
    /**
     * Connections that the server accepted.
     */
    uint32_t connections;
    /**
     * Publications of QoS 1 and 2 that the transport had had, and that went out again over a later connection.
     */
    uint32_t resends;
    /**
     * Publications of QoS 1 and 2 that wait for the server now.
     */
    uint32_t in_flight;
} mqttp2p_stats_t;

/**
 * A topic filter and the highest QoS wanted under it.
 */
typedef struct mqttp2p_filter_t {
    /**
     * The topic filter, UTF-8.
     */
    struct mqttp2p_bytes_t filter;
    /**
     * 0, 1 or 2.
     */
    uint8_t qos;
} mqttp2p_filter_t;

/**
 * A record of a kept session.
 */
typedef struct mqttp2p_record_t {
    /**
     * As MQTTP2P_ACTION_STORE_PUT told it.
     */
    uint8_t key[MQTTP2P_KEY_LEN];
    /**
     * The record.
     */
    struct mqttp2p_bytes_t value;
} mqttp2p_record_t;

/**
 * Done.
 */
#define MQTTP2P_OK 0

/**
 * There is nothing to do before the time that the action tells, unless something happens.
 */
#define MQTTP2P_WAIT 1

/**
 * There is none of what was asked for.
 */
#define MQTTP2P_NONE 2

/**
 * More bytes are needed to tell.
 */
#define MQTTP2P_INCOMPLETE 3

/**
 * A waiting time went by without an event.
 */
#define MQTTP2P_TIMED_OUT 4

/**
 * Somebody asked to be heard.
 */
#define MQTTP2P_WOKEN 5

/**
 * A pointer is NULL that may not be.
 */
#define MQTTP2P_E_NULL -101

/**
 * Memory does not begin where it must.
 */
#define MQTTP2P_E_MISALIGNED -102

/**
 * Memory given for a client or another object is too small.
 */
#define MQTTP2P_E_MEMORY_TOO_SMALL -103

/**
 * A number is none of those that the call takes, or struct_size is not what a header says.
 */
#define MQTTP2P_E_INVALID_ARGUMENT -104

/**
 * The memory holds no object of this kind: it was not made, or has ended.
 */
#define MQTTP2P_E_NO_OBJECT -105

/**
 * The object is in use: by another thread, or by the call that was interrupted.
 */
#define MQTTP2P_E_BUSY -106

/**
 * A freestanding client needs a seed.
 */
#define MQTTP2P_E_NO_SEED -107

/**
 * A buffer to write to is too small; the length that is needed was told.
 */
#define MQTTP2P_E_BUFFER_TOO_SMALL -108

/**
 * Text is not UTF-8, or holds U+0000.
 */
#define MQTTP2P_E_TEXT -109

/**
 * A topic name is empty, too long, or holds a wildcard.
 */
#define MQTTP2P_E_TOPIC_NAME -110

/**
 * A topic filter is empty, too long, or has a wildcard out of place.
 */
#define MQTTP2P_E_TOPIC_FILTER -111

/**
 * Larger than this client's memory can ever hold, than the service takes, or than MQTT allows.
 */
#define MQTTP2P_E_TOO_LARGE -112

/**
 * The service does not know retained messages.
 */
#define MQTTP2P_E_RETAIN -113

/**
 * One subscription more than the service grants.
 */
#define MQTTP2P_E_TOO_MANY_SUBSCRIPTIONS -114

/**
 * There is nothing to acknowledge.
 */
#define MQTTP2P_E_STALE -115

/**
 * The client has been used already.
 */
#define MQTTP2P_E_IN_USE -116

/**
 * More topic filters than one call takes.
 */
#define MQTTP2P_E_TOO_MANY_FILTERS -117

/**
 * There is not one topic filter.
 */
#define MQTTP2P_E_NO_FILTER -118

/**
 * A password without a user name.
 */
#define MQTTP2P_E_PASSWORD_ALONE -119

/**
 * The bytes are no session, or one that a later version of this library wrote.
 */
#define MQTTP2P_E_SESSION_FORMAT -120

/**
 * The session's bytes are damaged or invalid.
 */
#define MQTTP2P_E_SESSION_DAMAGED -121

/**
 * A client id breaks a rule of ApsaraMQ.
 */
#define MQTTP2P_E_CLIENT_ID -122

/**
 * A parent topic breaks a rule of ApsaraMQ.
 */
#define MQTTP2P_E_PARENT_TOPIC -123

/**
 * A client id can't be the target of a P2P message.
 */
#define MQTTP2P_E_P2P_TARGET -124

/**
 * A part of the credentials is missing.
 */
#define MQTTP2P_E_CREDENTIALS_MISSING -125

/**
 * A part of the credentials holds a character that it can't have.
 */
#define MQTTP2P_E_CREDENTIALS_CHARACTER -126

/**
 * A text is no token.
 */
#define MQTTP2P_E_TOKEN -127

/**
 * A token was expired when it was obtained.
 */
#define MQTTP2P_E_TOKEN_EXPIRED -128

/**
 * A URL can't be read.
 */
#define MQTTP2P_E_URL -129

/**
 * TLS was asked for and no library for it was given.
 */
#define MQTTP2P_E_NO_TLS -130

/**
 * No client id, and a session that is to be kept.
 */
#define MQTTP2P_E_NO_CLIENT_ID -131

/**
 * The client's memory is full for now.
 */
#define MQTTP2P_E_FULL -201

/**
 * The system has no memory.
 */
#define MQTTP2P_E_NO_MEMORY -202

/**
 * The system refused something; errno says what.
 */
#define MQTTP2P_E_SYSTEM -203

/**
 * There is no connection, and nothing is queued by configuration.
 */
#define MQTTP2P_E_OFFLINE -301

/**
 * A notice of the service is not what is documented.
 */
#define MQTTP2P_E_NOTICE -401

/**
 * A panic was caught, in this call or an earlier one: a defect of this library. The object can only be freed.
 */
#define MQTTP2P_E_PANIC -901

/**
 * A case that this version of the binding does not know.
 */
#define MQTTP2P_E_UNKNOWN -902

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The next thing to do. Call it until it returns MQTTP2P_WAIT: after every other call, when bytes have come, and when
 * the time has come that it told; and do what it says in that order.
 *
 * *rx and *rx_len are the bytes that came in and were not taken yet; both are advanced past what is taken now. What
 * is left stays in the caller's buffer, in front of what comes next. Both may be NULL if nothing came. An event's bytes
 * lie in that buffer, and stay good as long as the caller leaves them there, whatever else is called; those of an
 * action lie in the client, and are good until the next call with it. action is written in any case.
 *
 * Returns MQTTP2P_OK for an action or event; MQTTP2P_WAIT; or an error as every call that takes a client:
 * MQTTP2P_E_NULL, also for action, or if one of rx and rx_len is NULL; MQTTP2P_E_MISALIGNED; MQTTP2P_E_NO_OBJECT;
 * MQTTP2P_E_BUSY; MQTTP2P_E_PANIC.
 */
mqttp2p_status_t mqttp2p_poll(struct mqttp2p_client_t *client,
                              uint64_t now_ms,
                              const uint8_t **rx,
                              size_t *rx_len,
                              struct mqttp2p_action_t *action);

/**
 * Writes to at_ms when mqttp2p_poll must be called even if the transport takes no bytes and brings none: for who is
 * kept from polling to the end.
 *
 * Returns MQTTP2P_OK; MQTTP2P_NONE if time makes nothing due; or an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_due_at(struct mqttp2p_client_t *client,
                                uint64_t *at_ms);

/**
 * Writes the client id <group>@@@<device> to buffer, for which MQTTP2P_ALIYUN_CLIENT_ID_MAX bytes are always
 * enough, without a NUL; length is told its length. The group id was created in the console and begins with GID_ or
 * GID-; both ids consist of 0-9A-Za-z_- (ApsaraMQ docs: terms, limits, manage groups). Any thread.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_CLIENT_ID; MQTTP2P_E_TEXT; MQTTP2P_E_BUFFER_TOO_SMALL; MQTTP2P_E_NULL.
 */
mqttp2p_status_t mqttp2p_aliyun_client_id(struct mqttp2p_bytes_t group,
                                          struct mqttp2p_bytes_t device,
                                          uint8_t *buffer,
                                          size_t buffer_len,
                                          size_t *length);

/**
 * Whether a text is a client id of ApsaraMQ; then group and device, unless NULL, are told where its two parts lie in
 * it. With custom authentication these rules are waived, and any text of 1 to 64 bytes serves. Any thread.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_CLIENT_ID; MQTTP2P_E_TEXT; MQTTP2P_E_NULL.
 */
mqttp2p_status_t mqttp2p_aliyun_parse_client_id(struct mqttp2p_bytes_t client_id,
                                                struct mqttp2p_bytes_t *group,
                                                struct mqttp2p_bytes_t *device);

/**
 * Makes the log-in of a client id: writes user name and password to buffer, and lets login point to them and to
 * client_id. length is told how many bytes of the buffer they take, or would: with signatures, 160 do; tokens are of
 * any length. The buffer must stay as it is until mqttp2p_transport_opened, and should be wiped by the caller then.
 * Any thread.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_CREDENTIALS_MISSING; MQTTP2P_E_CREDENTIALS_CHARACTER; MQTTP2P_E_TOKEN;
 * MQTTP2P_E_TOO_LARGE; MQTTP2P_E_BUFFER_TOO_SMALL; MQTTP2P_E_TEXT; MQTTP2P_E_INVALID_ARGUMENT for the mode;
 * MQTTP2P_E_NULL. With an error login is as it was.
 */
mqttp2p_status_t mqttp2p_aliyun_log_in(const struct mqttp2p_credentials_t *credentials,
                                       struct mqttp2p_bytes_t client_id,
                                       uint8_t *buffer,
                                       size_t buffer_len,
                                       size_t *length,
                                       struct mqttp2p_login_t *login);

/**
 * Computes the password for a client id: the Base64 of HMAC-SHA1 with secret as key and the whole client id as message
 * (ApsaraMQ docs: signature authentication). For a server that hands it to devices. signature takes
 * MQTTP2P_ALIYUN_SIGNATURE_LEN bytes, without a NUL. Any thread.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_TEXT; MQTTP2P_E_NULL.
 */
mqttp2p_status_t mqttp2p_aliyun_sign(struct mqttp2p_bytes_t secret,
                                     struct mqttp2p_bytes_t client_id,
                                     uint8_t *signature);

/**
 * Whether a password is the signature of a client id, in a time that does not depend on where they differ. Any thread.
 *
 * Returns 1 or 0; MQTTP2P_E_TEXT; MQTTP2P_E_NULL.
 */
mqttp2p_status_t mqttp2p_aliyun_verify_signature(struct mqttp2p_bytes_t secret,
                                                 struct mqttp2p_bytes_t client_id,
                                                 struct mqttp2p_bytes_t password);

/**
 * Makes one that remembers nothing yet, in memory of the caller's: a mqttp2p_deduplicator_memory_t. seed are 16
 * bytes, random and secret, so that nobody can make up messages that hide others. One thread at a time.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_NULL; MQTTP2P_E_MISALIGNED; MQTTP2P_E_MEMORY_TOO_SMALL.
 */
mqttp2p_status_t mqttp2p_deduplicator_init(void *memory,
                                           size_t memory_len,
                                           const uint8_t *seed,
                                           struct mqttp2p_deduplicator_t **deduplicator);

/**
 * Whether the key is none of the last different ones: 1, and from now on it is one of them; or 0. Where dealing with a
 * message may fail, ask mqttp2p_deduplicator_has_seen before and this after it succeeded.
 *
 * Errors: MQTTP2P_E_NULL, _MISALIGNED, _NO_OBJECT, _BUSY, _PANIC.
 */
mqttp2p_status_t mqttp2p_deduplicator_is_new(struct mqttp2p_deduplicator_t *deduplicator,
                                             struct mqttp2p_bytes_t key);

/**
 * Whether the key is one of the last different ones: 1 or 0, or an error as of mqttp2p_deduplicator_is_new.
 */
mqttp2p_status_t mqttp2p_deduplicator_has_seen(struct mqttp2p_deduplicator_t *deduplicator,
                                               struct mqttp2p_bytes_t key);

/**
 * Makes one to which nothing happened yet, in memory of the caller's: a mqttp2p_diagnosis_memory_t. One thread at a
 * time.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_NULL; MQTTP2P_E_MISALIGNED; MQTTP2P_E_MEMORY_TOO_SMALL.
 */
mqttp2p_status_t mqttp2p_diagnosis_init(void *memory,
                                        size_t memory_len,
                                        struct mqttp2p_diagnosis_t **diagnosis);

/**
 * The service accepted a log-in. now_ms as for the client. Returns MQTTP2P_OK, or MQTTP2P_E_NULL, _MISALIGNED,
 * _NO_OBJECT, _BUSY, _PANIC, as every call here.
 */
mqttp2p_status_t mqttp2p_diagnosis_connected(struct mqttp2p_diagnosis_t *diagnosis,
                                             uint64_t now_ms);

/**
 * The client publishes to a topic, or, with payload_len 0, subscribes to it. Returns as every call here, or
 * MQTTP2P_E_TEXT.
 */
mqttp2p_status_t mqttp2p_diagnosis_used(struct mqttp2p_diagnosis_t *diagnosis,
                                        struct mqttp2p_bytes_t topic,
                                        size_t payload_len,
                                        uint64_t now_ms);

/**
 * The service answered a use of this topic, by PUBACK, PUBCOMP or a SUBACK that grants it. Returns as every call here, or
 * MQTTP2P_E_TEXT.
 */
mqttp2p_status_t mqttp2p_diagnosis_confirmed(struct mqttp2p_diagnosis_t *diagnosis,
                                             struct mqttp2p_bytes_t topic);

/**
 * An answer came and left nothing unanswered: the short form of mqttp2p_diagnosis_confirmed for who does not keep
 * topics. Returns as every call here.
 */
mqttp2p_status_t mqttp2p_diagnosis_answered(struct mqttp2p_diagnosis_t *diagnosis);

/**
 * A connection ended, or did not come about, for this reason (of MQTTP2P_EVENT_DISCONNECTED): writes to cause what
 * the service may have done it for. Returns as every call here.
 */
mqttp2p_status_t mqttp2p_diagnosis_explain(struct mqttp2p_diagnosis_t *diagnosis,
                                           int32_t reason,
                                           uint64_t now_ms,
                                           struct mqttp2p_cause_t *cause);

/**
 * Whether the service may dislike a topic name or topic filter. It is a warning, not an error: the documentation's
 * limits are stricter than MQTT's, and for P2P topics it does not say whether they hold. Any thread.
 *
 * Returns MQTTP2P_OK; MQTTP2P_WARNING_TOO_LONG or MQTTP2P_WARNING_CHARACTER; MQTTP2P_E_TEXT; MQTTP2P_E_NULL.
 */
mqttp2p_status_t mqttp2p_aliyun_topic_warning(struct mqttp2p_bytes_t topic);

/**
 * Whether two topics differ in no more than one / at the end, which the service may add to what it delivers: 1 or 0;
 * MQTTP2P_E_TEXT; MQTTP2P_E_NULL. Any thread.
 */
mqttp2p_status_t mqttp2p_aliyun_same_topic(struct mqttp2p_bytes_t a,
                                           struct mqttp2p_bytes_t b);

/**
 * How many of these topic filters, with a parent that is not NULL those with a wildcard below that parent topic, count
 * as subscriptions for the service: it ignores more than MQTTP2P_ALIYUN_SUBSCRIPTIONS_MAX in all without a word, and
 * more than 100 with a wildcard below one parent. Any thread.
 *
 * Returns the count; MQTTP2P_E_TEXT; MQTTP2P_E_NULL.
 */
mqttp2p_status_t mqttp2p_aliyun_count_subscriptions(const struct mqttp2p_bytes_t *filters,
                                                    size_t count,
                                                    struct mqttp2p_bytes_t parent);

/**
 * Writes the topic under which a message goes straight to one client id to buffer, for which
 * MQTTP2P_ALIYUN_P2P_TOPIC_MAX bytes are always enough, without a NUL; length is told its length (ApsaraMQ docs: P2P
 * messages). mqttp2p_publish_p2p does it on its own. Any thread.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_PARENT_TOPIC; MQTTP2P_E_P2P_TARGET; MQTTP2P_E_TEXT; MQTTP2P_E_BUFFER_TOO_SMALL;
 * MQTTP2P_E_NULL.
 */
mqttp2p_status_t mqttp2p_aliyun_p2p_topic(struct mqttp2p_bytes_t parent,
                                          struct mqttp2p_bytes_t target,
                                          uint8_t *buffer,
                                          size_t buffer_len,
                                          size_t *length);

/**
 * Takes a topic apart if it looks like a P2P topic. It is advice only: the service can deliver a P2P message under any
 * topic, and an ordinary message under one that looks like this. Any thread.
 *
 * Returns MQTTP2P_OK; MQTTP2P_NONE if it does not look like one; MQTTP2P_E_TEXT; MQTTP2P_E_NULL.
 */
mqttp2p_status_t mqttp2p_aliyun_parse_p2p(struct mqttp2p_bytes_t topic,
                                          struct mqttp2p_p2p_t *p2p);

/**
 * Reads a message if it is a notice about a token: every message should pass through here. Any thread.
 *
 * Returns MQTTP2P_OK; MQTTP2P_NONE if the topic is another one; MQTTP2P_E_NOTICE if it is one that can't be understood;
 * MQTTP2P_E_NULL.
 */
mqttp2p_status_t mqttp2p_aliyun_token_notice(struct mqttp2p_bytes_t topic,
                                             struct mqttp2p_bytes_t payload,
                                             struct mqttp2p_token_notice_t *notice);

/**
 * Writes the message that gives the service a new token on a connection that lives to buffer; length is told its
 * length, which is at most 25 more than the token's. Send it by mqttp2p_publish_alone to
 * MQTTP2P_ALIYUN_UPLOAD_TOPIC, and use the new token for the next CONNECT. Any thread.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_TOKEN; MQTTP2P_E_CREDENTIALS_MISSING for an empty token; MQTTP2P_E_BUFFER_TOO_SMALL;
 * MQTTP2P_E_INVALID_ARGUMENT for the type; MQTTP2P_E_TEXT; MQTTP2P_E_NULL.
 */
mqttp2p_status_t mqttp2p_aliyun_write_upload(uint32_t token_type,
                                             struct mqttp2p_bytes_t token,
                                             uint8_t *buffer,
                                             size_t buffer_len,
                                             size_t *length);

/**
 * Makes the life of tokens of these types (MQTTP2P_TOKEN_R | MQTTP2P_TOKEN_W, say), none of which is at hand, in memory
 * of the caller's: a mqttp2p_token_lifecycle_memory_t. margins may be NULL for the defaults. One thread at a time.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_NULL; MQTTP2P_E_MISALIGNED; MQTTP2P_E_MEMORY_TOO_SMALL; MQTTP2P_E_INVALID_ARGUMENT.
 */
mqttp2p_status_t mqttp2p_token_lifecycle_init(void *memory,
                                              size_t memory_len,
                                              uint32_t token_types,
                                              const struct mqttp2p_margins_t *margins,
                                              struct mqttp2p_token_lifecycle_t **life);

/**
 * A token is at hand: new from whoever issues them, or kept from an earlier run. With expires_at_ms 0 it counts as good
 * until the service says otherwise.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_TOKEN_EXPIRED, and then what was at hand before stays, and it counts as a failure;
 * MQTTP2P_E_INVALID_ARGUMENT for the type; or MQTTP2P_E_NULL, _MISALIGNED, _NO_OBJECT, _BUSY, _PANIC, as every call here.
 */
mqttp2p_status_t mqttp2p_token_lifecycle_obtained(struct mqttp2p_token_lifecycle_t *life,
                                                  uint32_t token_type,
                                                  uint64_t now_ms,
                                                  uint64_t expires_at_ms);

/**
 * Nobody issued a token of this type: whoever is asked for it gets a pause. Returns as every call here, or
 * MQTTP2P_E_INVALID_ARGUMENT.
 */
mqttp2p_status_t mqttp2p_token_lifecycle_failed(struct mqttp2p_token_lifecycle_t *life,
                                                uint32_t token_type,
                                                uint64_t now_ms);

/**
 * The types of which whoever issues tokens should be asked for one now: a sum of MQTTP2P_TOKEN_..., or 0. Ask again only
 * when _obtained or _failed was called. Errors as every call here.
 */
mqttp2p_status_t mqttp2p_token_lifecycle_due(struct mqttp2p_token_lifecycle_t *life,
                                             uint64_t now_ms);

/**
 * Writes to at_ms when something will be due, as things are. Where the clock may be set, ask again every minute or so.
 *
 * Returns MQTTP2P_OK; MQTTP2P_NONE if only an event can make something due; or an error as every call here.
 */
mqttp2p_status_t mqttp2p_token_lifecycle_due_at(struct mqttp2p_token_lifecycle_t *life,
                                                uint64_t now_ms,
                                                uint64_t *at_ms);

/**
 * CONNECT is about to be sent, with the tokens at hand, if the answer is 1. If it is 0, it may not be: a token is missing
 * or no longer good. Errors as every call here.
 */
mqttp2p_status_t mqttp2p_token_lifecycle_log_in(struct mqttp2p_token_lifecycle_t *life,
                                                uint64_t now_ms);

/**
 * The service accepted the log-in: MQTTP2P_EVENT_CONNECTED. Returns as every call here.
 */
mqttp2p_status_t mqttp2p_token_lifecycle_logged_in(struct mqttp2p_token_lifecycle_t *life,
                                                   uint64_t now_ms);

/**
 * The service refused the log-in with MQTTP2P_REASON_REFUSED_PASSWORD or _NOT_AUTHORIZED. Returns
 * MQTTP2P_ADVICE_RENEW or MQTTP2P_ADVICE_GIVE_UP, or an error as every call here.
 */
mqttp2p_status_t mqttp2p_token_lifecycle_refused(struct mqttp2p_token_lifecycle_t *life,
                                                 uint64_t now_ms);

/**
 * A token is about to be uploaded, if the answer is 1; if it is 0, there is no connection, or it has been given this
 * token, or the token is not good. One upload at a time. Errors as every call here, or MQTTP2P_E_INVALID_ARGUMENT.
 */
mqttp2p_status_t mqttp2p_token_lifecycle_upload(struct mqttp2p_token_lifecycle_t *life,
                                                uint32_t token_type,
                                                uint64_t now_ms);

/**
 * The service acknowledged the upload: MQTTP2P_EVENT_PUBLISHED_ALONE. Returns as every call here, or
 * MQTTP2P_E_INVALID_ARGUMENT.
 */
mqttp2p_status_t mqttp2p_token_lifecycle_uploaded(struct mqttp2p_token_lifecycle_t *life,
                                                  uint32_t token_type,
                                                  uint64_t now_ms);

/**
 * The connection is gone, or the attempt to make one ended: MQTTP2P_EVENT_DISCONNECTED. Returns as every call here.
 */
mqttp2p_status_t mqttp2p_token_lifecycle_lost(struct mqttp2p_token_lifecycle_t *life);

/**
 * A notice came. Returns MQTTP2P_ADVICE_STALE, _RENEW or _GIVE_UP; MQTTP2P_E_INVALID_ARGUMENT; or an error as every
 * call here.
 */
mqttp2p_status_t mqttp2p_token_lifecycle_notice(struct mqttp2p_token_lifecycle_t *life,
                                                const struct mqttp2p_token_notice_t *notice,
                                                uint64_t now_ms);

/**
 * Somebody saw to what made it give up, and wants another try: with new tokens. Returns as every call here.
 */
mqttp2p_status_t mqttp2p_token_lifecycle_start_over(struct mqttp2p_token_lifecycle_t *life);

/**
 * How many bytes a client takes: at most MQTTP2P_CLIENT_SIZE. Never fails; any thread.
 */
size_t mqttp2p_client_size(void);

/**
 * How a client's memory must be aligned, in bytes. Never fails; any thread.
 */
size_t mqttp2p_client_align(void);

/**
 * Makes a client in memory of the caller's: no heap.
 *
 * memory is for the client itself: a mqttp2p_client_memory_t, or memory_len bytes aligned to
 * mqttp2p_client_align(). tx is for what it must remember: MQTTP2P_BUFFER_SIZE(...) bytes aligned to 4, shared out
 * as config says; all that is left is for outgoing packets, which stay there until their handshake ends. Both are the
 * library's from now on until mqttp2p_client_deinit, and must not be moved. config is read in this call only.
 *
 * The client is written to client. It may be used from one thread at a time; different clients from different
 * threads.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_NULL; MQTTP2P_E_MISALIGNED; MQTTP2P_E_MEMORY_TOO_SMALL; MQTTP2P_E_INVALID_ARGUMENT for a
 * value in config; MQTTP2P_E_NO_SEED in freestanding builds.
 */
mqttp2p_status_t mqttp2p_client_init(void *memory,
                                     size_t memory_len,
                                     const struct mqttp2p_config_t *config,
                                     void *tx,
                                     size_t tx_len,
                                     struct mqttp2p_client_t **client);

/**
 * Ends a client that mqttp2p_client_init made: wipes what it kept, and gives its memory back to the caller. Also after
 * MQTTP2P_E_PANIC. It says nothing to the server: see mqttp2p_disconnect.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_NULL; MQTTP2P_E_MISALIGNED; MQTTP2P_E_NO_OBJECT; MQTTP2P_E_BUSY; or
 * MQTTP2P_E_INVALID_ARGUMENT for a client of mqttp2p_client_new.
 */
mqttp2p_status_t mqttp2p_client_deinit(struct mqttp2p_client_t *client);

#if defined(MQTTP2P_HOSTED)
/**
 * Makes a client on the heap, with memory that starts small and grows as it is needed: up to max_tx bytes of
 * outgoing packets, or 64 MiB if that is 0. End it with mqttp2p_client_free. Not in freestanding builds.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_NULL; MQTTP2P_E_INVALID_ARGUMENT for a value in config. If the system has no
 * memory, the program ends, as it does when a client can't grow.
 */
mqttp2p_status_t mqttp2p_client_new(const struct mqttp2p_config_t *config,
                                    size_t max_tx,
                                    struct mqttp2p_client_t **client);
#endif

#if defined(MQTTP2P_HOSTED)
/**
 * Ends a client that mqttp2p_client_new made, wipes what it kept, and frees its memory; also after
 * MQTTP2P_E_PANIC. It says nothing to the server: see mqttp2p_disconnect. NULL is nothing to free.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_NO_OBJECT if client is not a client; MQTTP2P_E_BUSY; or MQTTP2P_E_INVALID_ARGUMENT
 * for a client of mqttp2p_client_init.
 */
mqttp2p_status_t mqttp2p_client_free(struct mqttp2p_client_t *client);
#endif

/**
 * Writes the values of MQTTP2P_CONFIG_INIT to config: for languages without the macro. Returns MQTTP2P_OK or
 * MQTTP2P_E_NULL.
 */
mqttp2p_status_t mqttp2p_config_default(struct mqttp2p_config_t *config);

/**
 * Writes the values of MQTTP2P_CONFIG_ALIYUN_INIT to config: keep alive 90 s, 3 s to connect, payloads up to 64 KB,
 * 30 subscriptions, no wills, no retained messages, subscriptions asked for again after every CONNACK. Returns
 * MQTTP2P_OK or MQTTP2P_E_NULL.
 */
mqttp2p_status_t mqttp2p_config_aliyun(struct mqttp2p_config_t *config);

/**
 * Wants a connection from now on: an attempt begins at the next poll, and after every loss another one, until
 * mqttp2p_disconnect. While a retry is waited for, it is brought forward. now_ms are milliseconds on any monotonic
 * clock, here and everywhere.
 *
 * Returns MQTTP2P_OK, or MQTTP2P_E_NULL, _MISALIGNED, _NO_OBJECT, _BUSY or _PANIC, as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_connect(struct mqttp2p_client_t *client,
                                 uint64_t now_ms);

/**
 * Wants no connection any more. What may already be sent goes out, then DISCONNECT, then the transport is closed; an
 * attempt under way is given up. What waits stays for the next mqttp2p_connect, or for mqttp2p_abandon. Go on
 * polling until MQTTP2P_EVENT_DISCONNECTED.
 *
 * Returns MQTTP2P_OK, or an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_disconnect(struct mqttp2p_client_t *client,
                                    uint64_t now_ms);

/**
 * The host goes to the background: no attempt begins and no timer runs until mqttp2p_resume.
 *
 * Returns MQTTP2P_OK, or an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_pause(struct mqttp2p_client_t *client,
                               uint64_t now_ms);

/**
 * The host is back: reconnects at once, or asks at once whether the connection still lives.
 *
 * Returns MQTTP2P_OK, or an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_resume(struct mqttp2p_client_t *client,
                                uint64_t now_ms);

/**
 * Asks the server at once whether it is there: a PINGREQ, ahead of its time. Without a connection nothing happens.
 *
 * Returns MQTTP2P_OK, or an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_ping(struct mqttp2p_client_t *client);

/**
 * Speaks another edition from the next CONNECT on, as after MQTTP2P_REASON_REFUSED_PROTOCOL. The session lives on.
 * protocol is MQTTP2P_PROTOCOL_....
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_INVALID_ARGUMENT; MQTTP2P_E_IN_USE if CONNECT has gone out already; or an error as every
 * call that takes a client.
 */
mqttp2p_status_t mqttp2p_set_protocol(struct mqttp2p_client_t *client,
                                      uint8_t number);

/**
 * The transport is open: CONNECT goes out with this log-in. Ignored unless MQTTP2P_ACTION_OPEN_TRANSPORT was the last
 * word on the transport. login and what it points to are read in this call only; the packet that is made of them is
 * wiped with the client.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_INVALID_ARGUMENT, MQTTP2P_E_TEXT or MQTTP2P_E_TOPIC_NAME for what login holds, and then
 * the attempt is still open: call again, or mqttp2p_transport_closed; or an error as every call that takes a client.
 * A log-in that no packet can say, or that the memory has no room for, ends the attempt: MQTTP2P_EVENT_DISCONNECTED
 * with MQTTP2P_REASON_INVALID_LOGIN.
 */
mqttp2p_status_t mqttp2p_transport_opened(struct mqttp2p_client_t *client,
                                          uint64_t now_ms,
                                          const struct mqttp2p_login_t *login);

/**
 * The transport is gone, or could not be opened: reason is MQTTP2P_REASON_CLOSED_BY_PEER, _BROKEN,
 * _CONNECTION_REFUSED or another one between 101 and 199. Ignored after MQTTP2P_ACTION_CLOSE_TRANSPORT, so that one end is
 * never counted twice. Poll what had come before first.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_INVALID_ARGUMENT for another reason; or an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_transport_closed(struct mqttp2p_client_t *client,
                                          uint64_t now_ms,
                                          int32_t reason);

/**
 * So many bytes of the last MQTTP2P_ACTION_TRANSMIT were written: some of them, or all.
 *
 * Returns MQTTP2P_OK; MQTTP2P_WAIT if nothing is left to do before the moment that mqttp2p_due_at tells, which is that
 * of the last MQTTP2P_ACTION_WAIT or later: a program to which no bytes have come may spare the poll that would say so;
 * or an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_transmitted(struct mqttp2p_client_t *client,
                                     size_t bytes);

/**
 * The caller stops reading from the transport (held = 1) or goes on (0): while it does not read, no answer to a ping
 * is expected.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_INVALID_ARGUMENT; or an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_hold_reading(struct mqttp2p_client_t *client,
                                      uint64_t now_ms,
                                      uint8_t held);

/**
 * Whether the server has accepted the log-in and the connection has not ended: 1 or 0, or an error as every call that
 * takes a client.
 */
mqttp2p_status_t mqttp2p_is_connected(struct mqttp2p_client_t *client);

/**
 * Whether there is no connection, and none is wanted: 1 or 0, or an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_is_idle(struct mqttp2p_client_t *client);

/**
 * Whether DISCONNECT is the last that goes out, or has gone out already, so that the transport is to be closed in a way
 * that lets the server read it: 1 or 0, or an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_has_left(struct mqttp2p_client_t *client);

/**
 * Whether a PINGREQ waits for its answer, or is about to go out: 1 or 0, or an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_awaits_ping(struct mqttp2p_client_t *client);

/**
 * Writes the counters to stats.
 *
 * Returns MQTTP2P_OK, or an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_stats(struct mqttp2p_client_t *client,
                               struct mqttp2p_stats_t *stats);

/**
 * Writes the tickets of the requests that have not ended to tickets, oldest first; count is told how many there are.
 * With max 0 that is all it does.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_BUFFER_TOO_SMALL, and the first max were written; or an error as every call that takes a
 * client.
 */
mqttp2p_status_t mqttp2p_requests(struct mqttp2p_client_t *client,
                                  uint32_t *tickets,
                                  size_t max,
                                  size_t *count);

/**
 * Writes one of the subscriptions that the server granted to filter, counted from 0. Its bytes are the client's, and
 * good until the next call with it: to subscribe to it anew, or to unsubscribe from it, copy them first.
 *
 * Returns MQTTP2P_OK; MQTTP2P_NONE if there are not so many; or an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_subscription(struct mqttp2p_client_t *client,
                                      size_t index,
                                      struct mqttp2p_filter_t *filter);

/**
 * Writes what a reason means and what to do about it, UTF-8, to the start of buffer. written is told the length that
 * it has, or would need.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_BUFFER_TOO_SMALL, and then as much as fits was written; MQTTP2P_E_NULL;
 * MQTTP2P_E_INVALID_ARGUMENT for a number that is no reason. Any thread.
 */
mqttp2p_status_t mqttp2p_reason_describe(int32_t reason,
                                         uint8_t *buffer,
                                         size_t len,
                                         size_t *length);

/**
 * Accepts a message for sending. With a connection it goes out at the next poll; without one it waits, as
 * config.offline says. Topic and payload are copied in this call. The ticket, written to ticket unless that is NULL,
 * comes back in MQTTP2P_EVENT_PUBLISHED or MQTTP2P_EVENT_DROPPED.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_FULL; MQTTP2P_E_TOO_LARGE; MQTTP2P_E_OFFLINE; MQTTP2P_E_RETAIN; MQTTP2P_E_TOPIC_NAME;
 * MQTTP2P_E_TEXT; MQTTP2P_E_INVALID_ARGUMENT for qos above 2 or retain above 1; or an error as every call that takes
 * a client. With an error nothing was accepted.
 */
mqttp2p_status_t mqttp2p_publish(struct mqttp2p_client_t *client,
                                 struct mqttp2p_bytes_t topic,
                                 struct mqttp2p_bytes_t payload,
                                 uint8_t qos_wanted,
                                 uint8_t retain,
                                 uint32_t *ticket);

/**
 * Accepts a P2P message for one client id: it goes to <parent>/p2p/<target>, and needs no subscription there. ApsaraMQ
 * wants the right to publish to the parent topic. Otherwise as mqttp2p_publish.
 *
 * Returns as mqttp2p_publish, and MQTTP2P_E_PARENT_TOPIC or MQTTP2P_E_P2P_TARGET for what breaks the service's rules.
 */
mqttp2p_status_t mqttp2p_publish_p2p(struct mqttp2p_client_t *client,
                                     struct mqttp2p_bytes_t parent,
                                     struct mqttp2p_bytes_t target,
                                     struct mqttp2p_bytes_t payload,
                                     uint8_t qos_wanted,
                                     uint32_t *ticket);

/**
 * Publishes with QoS 1, ahead of all that waits; until the acknowledgement has come no other PUBLISH, no SUBSCRIBE and
 * no UNSUBSCRIBE goes out. For what a server has to know first: ApsaraMQ's new token, and its switch for ordered
 * messages. It ends with MQTTP2P_EVENT_PUBLISHED_ALONE, or with the connection.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_OFFLINE without a connection; MQTTP2P_E_FULL while another one is under way, or while the
 * control part of the buffer has no room; MQTTP2P_E_TOO_LARGE if it never has; MQTTP2P_E_TOPIC_NAME; MQTTP2P_E_TEXT; or
 * an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_publish_alone(struct mqttp2p_client_t *client,
                                       struct mqttp2p_bytes_t topic,
                                       struct mqttp2p_bytes_t payload);

/**
 * Asks for the messages of these topic filters, 1 to MQTTP2P_MAX_FILTERS. Each is asked for again after a reconnect,
 * once the server has granted it. The ticket comes back in MQTTP2P_EVENT_SUBSCRIBED, whose data has a return code for
 * each filter: the granted QoS or 0x80, refused.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_NO_FILTER; MQTTP2P_E_TOO_MANY_FILTERS; MQTTP2P_E_TOPIC_FILTER; MQTTP2P_E_TEXT;
 * MQTTP2P_E_INVALID_ARGUMENT; MQTTP2P_E_FULL; MQTTP2P_E_TOO_LARGE; MQTTP2P_E_OFFLINE; MQTTP2P_E_TOO_MANY_SUBSCRIPTIONS; or
 * an error as every call that takes a client. With an error nothing was accepted.
 */
mqttp2p_status_t mqttp2p_subscribe(struct mqttp2p_client_t *client,
                                   const struct mqttp2p_filter_t *filters,
                                   size_t count,
                                   uint32_t *ticket);

/**
 * Ends the subscriptions to these topic filters, 1 to MQTTP2P_MAX_FILTERS. The ticket comes back in
 * MQTTP2P_EVENT_UNSUBSCRIBED.
 *
 * Returns as mqttp2p_subscribe, but for MQTTP2P_E_TOO_MANY_SUBSCRIPTIONS.
 */
mqttp2p_status_t mqttp2p_unsubscribe(struct mqttp2p_client_t *client,
                                     const struct mqttp2p_bytes_t *filters,
                                     size_t count,
                                     uint32_t *ticket);

/**
 * Acknowledges a message, with config.manual_ack: ack is that of its event.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_STALE, and what was not acknowledged in time the server delivers again; MQTTP2P_E_FULL
 * while earlier acknowledgements wait for the transport; or an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_acknowledge(struct mqttp2p_client_t *client,
                                     uint64_t ack);

/**
 * Gives up everything that was accepted and has not ended: each ticket ends in MQTTP2P_EVENT_DROPPED. Only without a
 * connection; otherwise nothing happens.
 *
 * Returns MQTTP2P_OK, or an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_abandon(struct mqttp2p_client_t *client);

/**
 * Writes the session to buffer: what was accepted and has not ended, incoming QoS 2, subscriptions. Poll until
 * MQTTP2P_WAIT first. length is told how many bytes it has, or would take: with buffer_len 0 that is all it does.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_BUFFER_TOO_SMALL; or an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_session_export(struct mqttp2p_client_t *client,
                                        uint8_t *buffer,
                                        size_t buffer_len,
                                        size_t *length);

/**
 * Takes over a session that mqttp2p_session_export of this or an earlier version wrote. The client must not have been
 * used. The session's tickets stay valid: see mqttp2p_requests.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_SESSION_FORMAT; MQTTP2P_E_SESSION_DAMAGED; MQTTP2P_E_IN_USE; MQTTP2P_E_FULL or
 * MQTTP2P_E_TOO_LARGE for memory too small; or an error as every call that takes a client. With an error the client is
 * as it was.
 */
mqttp2p_status_t mqttp2p_session_import(struct mqttp2p_client_t *client,
                                        struct mqttp2p_bytes_t session);

/**
 * Has every change of the session told by MQTTP2P_ACTION_STORE_PUT and MQTTP2P_ACTION_STORE_REMOVE, so that it outlives
 * a crash. Before the first use of the client. A program that never calls this does not link its code.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_IN_USE; or an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_keep_session(struct mqttp2p_client_t *client);

/**
 * Has a message whose packet is longer than max_whole_message bytes told in parts (MQTTP2P_EVENT_MESSAGE_BEGIN, _PART,
 * _END), so that the receive buffer need hold no more than that. A message whose topic alone is longer ends the
 * connection. Before the first use of the client. A program that never calls this does not link its code.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_IN_USE; or an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_tell_in_parts(struct mqttp2p_client_t *client,
                                       uint32_t max_whole_message);

/**
 * Sends at most so many requests (publications, subscriptions, unsubscriptions) in a second on average, and the rest
 * when its turn comes; 0 for no bound. ApsaraMQ recommends MQTTP2P_ALIYUN_MESSAGES_PER_SECOND. Before the first use of
 * the client. A program that never calls this does not link its code.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_IN_USE; or an error as every call that takes a client.
 */
mqttp2p_status_t mqttp2p_pace(struct mqttp2p_client_t *client,
                              uint16_t max_requests_per_sec);

/**
 * Takes over a session that was kept change by change, into a client that has not been used: all records, in ascending
 * order of their keys, byte by byte. Publications of QoS 1 and 2 go on with their tickets: see mqttp2p_requests. Call
 * mqttp2p_keep_session as well if it is to be kept on.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_INVALID_ARGUMENT for records out of order or doubled; MQTTP2P_E_SESSION_DAMAGED;
 * MQTTP2P_E_IN_USE; MQTTP2P_E_FULL or MQTTP2P_E_TOO_LARGE for memory too small; or an error as every call that takes a
 * client. With an error the client is as it was.
 */
mqttp2p_status_t mqttp2p_session_restore(struct mqttp2p_client_t *client,
                                         const struct mqttp2p_record_t *records,
                                         size_t count);

/**
 * What a status means and what to do about it, as text that ends with NUL and lives for ever. Never NULL. May be
 * called from any thread at any time.
 */
const char *mqttp2p_status_str(mqttp2p_status_t status);

/**
 * The version of this library, as text that ends with NUL and lives for ever. May be called from any thread.
 */
const char *mqttp2p_version(void);

/**
 * Whether bytes are a topic name to publish to. Any thread.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_TOPIC_NAME; MQTTP2P_E_TEXT; MQTTP2P_E_NULL.
 */
mqttp2p_status_t mqttp2p_check_topic_name(struct mqttp2p_bytes_t topic);

/**
 * Whether bytes are a topic filter to subscribe to. Any thread.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_TOPIC_FILTER; MQTTP2P_E_TEXT; MQTTP2P_E_NULL.
 */
mqttp2p_status_t mqttp2p_check_topic_filter(struct mqttp2p_bytes_t filter);

/**
 * Whether a message to topic goes to who subscribed to filter (MQTT 3.1.1, 4.7). Any thread.
 *
 * Returns 1 or 0; MQTTP2P_E_TOPIC_FILTER, MQTTP2P_E_TOPIC_NAME, MQTTP2P_E_TEXT or MQTTP2P_E_NULL.
 */
mqttp2p_status_t mqttp2p_topic_matches(struct mqttp2p_bytes_t filter,
                                       struct mqttp2p_bytes_t topic);

/**
 * Writes the length of the first packet in packets to length: for transports that carry one packet a message, such
 * as WebSocket. Any thread.
 *
 * Returns MQTTP2P_OK; MQTTP2P_INCOMPLETE if packets does not begin with a whole packet; MQTTP2P_E_NULL.
 */
mqttp2p_status_t mqttp2p_packet_len(struct mqttp2p_bytes_t packets,
                                    size_t *length);

/**
 * Makes a WebSocket without a connection, in memory of the caller's: a mqttp2p_websocket_memory_t. seed are 16 bytes
 * from the system's source of randomness: they make the masks (RFC 6455, 10.3). One thread at a time.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_NULL; MQTTP2P_E_MISALIGNED; MQTTP2P_E_MEMORY_TOO_SMALL.
 */
mqttp2p_status_t mqttp2p_websocket_init(void *memory,
                                        size_t memory_len,
                                        const uint8_t *seed,
                                        struct mqttp2p_websocket_t **socket);

/**
 * Begins a new connection, and forgets the one before: writes the request for it to buffer; 220 bytes and those of
 * host and path are enough; length is told its length. host is a name or address, in brackets if it is one of IPv6,
 * with :port unless that is the scheme's. protocol is MQTTP2P_PROTOCOL_...: its subprotocol is asked for
 * [MQTT-6.0.0-3].
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_URL for what can't be a host or a path; MQTTP2P_E_INVALID_ARGUMENT for the edition;
 * MQTTP2P_E_TEXT; MQTTP2P_E_BUFFER_TOO_SMALL; or MQTTP2P_E_NULL, _MISALIGNED, _NO_OBJECT, _BUSY, _PANIC, as every call
 * here. With an error nothing has changed.
 */
mqttp2p_status_t mqttp2p_websocket_open(struct mqttp2p_websocket_t *socket,
                                        struct mqttp2p_bytes_t host,
                                        struct mqttp2p_bytes_t path,
                                        uint8_t edition,
                                        uint8_t *buffer,
                                        size_t buffer_len,
                                        size_t *length);

/**
 * Takes raw_len bytes that came in, all of them, and leaves of them what is MQTT, at the front of raw: length bytes.
 * What is not whole is remembered. MQTT that came before an end is good: pass it to the client first.
 *
 * Returns MQTTP2P_OK, or an error as every call here.
 */
mqttp2p_status_t mqttp2p_websocket_receive(struct mqttp2p_websocket_t *socket,
                                           uint8_t *raw,
                                           size_t raw_len,
                                           size_t *length);

/**
 * Whether the server has accepted the upgrade and the connection has not ended: 1 or 0, or an error as every call here.
 */
mqttp2p_status_t mqttp2p_websocket_is_open(struct mqttp2p_websocket_t *socket);

/**
 * Writes frames of packets to out, as much as there is room for, each packet as one message; pongs and the close
 * frame come by themselves. packets are the bytes of MQTTP2P_ACTION_TRANSMIT, or none. taken is told how many of
 * them are in the frames, to be passed on to mqttp2p_transmitted; length, how many bytes of out are to be sent.
 * MQTTP2P_WEBSOCKET_MIN_ROOM bytes of out are always enough to get on.
 *
 * Returns MQTTP2P_OK; MQTTP2P_E_BUFFER_TOO_SMALL if nothing fits; MQTTP2P_E_INVALID_ARGUMENT if the bytes do not begin
 * with a packet and its fixed header; or an error as every call here.
 */
mqttp2p_status_t mqttp2p_websocket_transmit(struct mqttp2p_websocket_t *socket,
                                            struct mqttp2p_bytes_t packets,
                                            uint8_t *out,
                                            size_t out_len,
                                            size_t *taken,
                                            size_t *length);

/**
 * Whether mqttp2p_websocket_transmit has something to write without packets, a pong or the close frame: 1 or 0, or an
 * error as every call here.
 */
mqttp2p_status_t mqttp2p_websocket_wants_transmit(struct mqttp2p_websocket_t *socket);

/**
 * Closes the connection: a close frame follows the packets of the next mqttp2p_websocket_transmit. Returns MQTTP2P_OK,
 * or an error as every call here.
 */
mqttp2p_status_t mqttp2p_websocket_close(struct mqttp2p_websocket_t *socket);

/**
 * How the connection ended, if it has. reason is told what mqttp2p_transport_closed takes: MQTTP2P_REASON_UPGRADE if
 * the server did not accept it; detail, unless NULL, the status code of its answer or of its close frame, or 0.
 *
 * Returns MQTTP2P_OK; MQTTP2P_NONE if it has not ended; or an error as every call here.
 */
mqttp2p_status_t mqttp2p_websocket_end(struct mqttp2p_websocket_t *socket,
                                       int32_t *reason,
                                       uint32_t *detail);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

/* ---- memory for objects ---- */

/* How many bytes a client takes at most. */
#define MQTTP2P_CLIENT_SIZE (sizeof(void *) == 4 ? MQTTP2P_CLIENT_SIZE_32 : MQTTP2P_CLIENT_SIZE_64)

/* Memory for one object of each kind, aligned as it must be: static, automatic, or part of a struct. */
typedef union mqttp2p_client_memory_t {
    uint64_t align;
    void *pointer;
    unsigned char bytes[MQTTP2P_CLIENT_SIZE];
} mqttp2p_client_memory_t;

typedef union mqttp2p_token_lifecycle_memory_t {
    uint64_t align;
    unsigned char bytes[MQTTP2P_TOKEN_LIFECYCLE_SIZE];
} mqttp2p_token_lifecycle_memory_t;

typedef union mqttp2p_diagnosis_memory_t {
    uint64_t align;
    unsigned char bytes[MQTTP2P_DIAGNOSIS_SIZE];
} mqttp2p_diagnosis_memory_t;

typedef union mqttp2p_websocket_memory_t {
    uint64_t align;
    unsigned char bytes[MQTTP2P_WEBSOCKET_SIZE];
} mqttp2p_websocket_memory_t;

typedef union mqttp2p_deduplicator_memory_t {
    uint64_t align;
    unsigned char bytes[MQTTP2P_DEDUPLICATOR_SIZE];
} mqttp2p_deduplicator_memory_t;

/* How many bytes the buffer of mqttp2p_client_init needs for a config with these numbers and so many bytes of outgoing
 * packets. A PUBLISH takes its topic and its payload and up to 9 bytes. */
#define MQTTP2P_BUFFER_SIZE(requests, inbound, control_bytes, subscription_bytes, packets)                   \
    (16u * (requests) + 4u * (inbound) + (control_bytes) + (subscription_bytes) + (packets))

/* ---- first values of structs ---- */

#define MQTTP2P_CONFIG_INIT                                                                                  \
    {(uint32_t)sizeof(mqttp2p_config_t), MQTTP2P_PROTOCOL_V311, 0, 60, 20000, 10000, 1000, 60000, 30000, 60000, \
     66560, 20, MQTTP2P_RESUBSCRIBE_WITHOUT_SESSION, MQTTP2P_OFFLINE_QUEUE_ALL, 0, 1, 1, 1, UINT32_MAX, 65535, \
     65535, 8, 4, 256, 128, 0}

#define MQTTP2P_CONFIG_ALIYUN_INIT                                                                           \
    {(uint32_t)sizeof(mqttp2p_config_t), MQTTP2P_PROTOCOL_V311, 0, 90, 20000, 3000, 2000, 60000, 30000, 60000, \
     66560, 20, MQTTP2P_RESUBSCRIBE_ALWAYS, MQTTP2P_OFFLINE_QUEUE_ALL, 0, 0, 0, 1, MQTTP2P_ALIYUN_PAYLOAD_MAX, \
     MQTTP2P_ALIYUN_SUBSCRIPTIONS_MAX, 480, 8, 4, 256, 128, 0}

#define MQTTP2P_BYTES_NONE {NULL, 0}

#define MQTTP2P_LOGIN_INIT                                                                                   \
    {(uint32_t)sizeof(mqttp2p_login_t), 0, 0, 0, MQTTP2P_BYTES_NONE, MQTTP2P_BYTES_NONE, MQTTP2P_BYTES_NONE,  \
     MQTTP2P_BYTES_NONE, MQTTP2P_BYTES_NONE}

#define MQTTP2P_CREDENTIALS_INIT                                                                             \
    {(uint32_t)sizeof(mqttp2p_credentials_t), 0, MQTTP2P_BYTES_NONE, MQTTP2P_BYTES_NONE, MQTTP2P_BYTES_NONE,  \
     MQTTP2P_BYTES_NONE, MQTTP2P_BYTES_NONE, MQTTP2P_BYTES_NONE, MQTTP2P_BYTES_NONE}

#define MQTTP2P_MARGINS_INIT {(uint32_t)sizeof(mqttp2p_margins_t), 5000, 300000, 5000, 60000, 30000}

/* ---- topics and limits of ApsaraMQ ---- */

/* Where a new token goes, by mqttp2p_publish_alone (ApsaraMQ docs: token authentication). */
#define MQTTP2P_ALIYUN_UPLOAD_TOPIC "$SYS/uploadToken"
/* What makes a client's messages go out in order, with its payload, by mqttp2p_publish_alone after each CONNECTED. */
#define MQTTP2P_ALIYUN_ORDER_TOPIC "$SYS/enableOrderMsg"
#define MQTTP2P_ALIYUN_ORDER_PAYLOAD "{\"order\":\"true\"}"

/* ---- byte ranges ---- */

#ifdef __cplusplus
extern "C" {
#endif

/* A range of any bytes. */
static inline mqttp2p_bytes_t mqttp2p_bytes(const void *ptr, size_t len)
{
    mqttp2p_bytes_t bytes;
    bytes.ptr = (const uint8_t *)ptr;
    bytes.len = len;
    return bytes;
}

/* A text that ends with NUL, without it. NULL stands for nothing. */
static inline mqttp2p_bytes_t mqttp2p_str(const char *text)
{
    size_t len = 0;
    while (text != NULL && text[len] != '\0')
        len++;
    return mqttp2p_bytes(text, len);
}

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* MQTTP2P_H */

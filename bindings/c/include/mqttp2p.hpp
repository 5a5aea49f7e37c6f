/*
 * mqttp2p for C++17: owners that free what they own, views instead of pointers with lengths. Header only; no exceptions,
 * no heap of its own. Each call is that of mqttp2p.h with the same name, where its meaning stands.
 *
 *     mqttp2p::Options options;
 *     options.url = "mqtt://127.0.0.1:1883";
 *     options.client_id = "meter-1";
 *     mqttp2p::Connection mqtt;
 *     if (auto status = mqtt.open(options); !status)
 *         std::cerr << status.message() << '\n';
 *     mqtt.publish("site/state", "on", mqttp2p::QoS::at_least_once);
 *     mqttp2p::Action event;
 *     while (mqtt.next(event, std::chrono::seconds(10)) && event.type != MQTTP2P_EVENT_PUBLISHED) {}
 */
#ifndef MQTTP2P_HPP
#define MQTTP2P_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

#include "mqttp2p.h"

#if defined(MQTTP2P_HOSTED) && (defined(__unix__) || defined(__APPLE__))
#define MQTTP2P_HPP_SOCKETS 1
#include "mqttp2p_posix.h"
#endif

namespace mqttp2p {

/* What a call came to. True if it did what it was asked for. */
class [[nodiscard]] Status {
public:
    constexpr Status(mqttp2p_status_t code) noexcept : code_(code) {}

    /* MQTTP2P_OK: done. */
    constexpr explicit operator bool() const noexcept { return code_ == MQTTP2P_OK; }
    /* Below 0: nothing has happened. */
    constexpr bool is_error() const noexcept { return code_ < 0; }
    constexpr mqttp2p_status_t code() const noexcept { return code_; }
    /* What it means, and what to do. */
    std::string_view message() const noexcept { return mqttp2p_status_str(code_); }
    /* For calls whose failure is of no concern. */
    constexpr void ignore() const noexcept {}

private:
    mqttp2p_status_t code_;
};

/* Bytes that somebody else owns: made of text, or of anything with data() and size() of bytes. */
class Bytes {
public:
    constexpr Bytes() noexcept = default;
    constexpr Bytes(const std::uint8_t *data, std::size_t size) noexcept : data_(data), size_(size) {}
    Bytes(const void *data, std::size_t size) noexcept : Bytes(static_cast<const std::uint8_t *>(data), size) {}
    Bytes(std::string_view text) noexcept : Bytes(static_cast<const void *>(text.data()), text.size()) {}
    Bytes(const char *text) noexcept : Bytes(std::string_view(text)) {}
    constexpr Bytes(mqttp2p_bytes_t bytes) noexcept : Bytes(bytes.ptr, bytes.len) {}

    template <typename Range,
              typename Byte = std::remove_pointer_t<decltype(std::declval<const Range &>().data())>,
              typename = std::enable_if_t<!std::is_same_v<Range, Bytes> && sizeof(Byte) == 1 &&
                                          std::is_trivially_copyable_v<Byte>>>
    Bytes(const Range &range) noexcept : Bytes(static_cast<const void *>(range.data()), range.size())
    {
    }

    constexpr const std::uint8_t *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr bool empty() const noexcept { return size_ == 0; }
    constexpr const std::uint8_t *begin() const noexcept { return data_; }
    constexpr const std::uint8_t *end() const noexcept { return data_ + size_; }
    /* The bytes as text, whatever they are. */
    std::string_view text() const noexcept
    {
        return {reinterpret_cast<const char *>(data_), size_};
    }

    constexpr operator mqttp2p_bytes_t() const noexcept { return mqttp2p_bytes_t{data_, size_}; }

private:
    const std::uint8_t *data_ = nullptr;
    std::size_t size_ = 0;
};

/* Quality of service. */
enum class QoS : std::uint8_t { at_most_once = 0, at_least_once = 1, exactly_once = 2 };

using Ticket = std::uint32_t;
using Config = mqttp2p_config_t;
using Login = mqttp2p_login_t;
using Credentials = mqttp2p_credentials_t;

/* The next thing to do, or what happened: mqttp2p_action_t with views. */
struct Action : mqttp2p_action_t {
    Action() noexcept : mqttp2p_action_t() {}
    /* Of a message. */
    std::string_view topic_text() const noexcept { return Bytes(topic).text(); }
    /* Of a message, or what else `data` holds. */
    Bytes bytes() const noexcept { return Bytes(data); }
    std::string_view text() const noexcept { return Bytes(data).text(); }
};

inline Config config() noexcept { return MQTTP2P_CONFIG_INIT; }
inline Config config_aliyun() noexcept { return MQTTP2P_CONFIG_ALIYUN_INIT; }
inline Login login() noexcept { return MQTTP2P_LOGIN_INIT; }
inline Credentials credentials() noexcept { return MQTTP2P_CREDENTIALS_INIT; }

/* What can be asked of a client, whoever owns it. `Self` has a client(). */
template <typename Self> class Requests {
public:
    Status publish(Bytes topic, Bytes payload, QoS qos, Ticket *ticket = nullptr) noexcept
    {
        return mqttp2p_publish(handle(), topic, payload, static_cast<std::uint8_t>(qos), 0, ticket);
    }
    Status publish_retained(Bytes topic, Bytes payload, QoS qos, Ticket *ticket = nullptr) noexcept
    {
        return mqttp2p_publish(handle(), topic, payload, static_cast<std::uint8_t>(qos), 1, ticket);
    }
    Status publish_p2p(Bytes parent, Bytes target, Bytes payload, QoS qos, Ticket *ticket = nullptr) noexcept
    {
        return mqttp2p_publish_p2p(handle(), parent, target, payload, static_cast<std::uint8_t>(qos), ticket);
    }
    Status publish_alone(Bytes topic, Bytes payload) noexcept
    {
        return mqttp2p_publish_alone(handle(), topic, payload);
    }
    Status subscribe(Bytes filter, QoS qos, Ticket *ticket = nullptr) noexcept
    {
        const mqttp2p_filter_t one = {filter, static_cast<std::uint8_t>(qos)};
        return mqttp2p_subscribe(handle(), &one, 1, ticket);
    }
    Status subscribe(std::initializer_list<mqttp2p_filter_t> filters, Ticket *ticket = nullptr) noexcept
    {
        return mqttp2p_subscribe(handle(), filters.begin(), filters.size(), ticket);
    }
    Status unsubscribe(Bytes filter, Ticket *ticket = nullptr) noexcept
    {
        const mqttp2p_bytes_t one = filter;
        return mqttp2p_unsubscribe(handle(), &one, 1, ticket);
    }
    Status acknowledge(std::uint64_t ack) noexcept { return mqttp2p_acknowledge(handle(), ack); }
    Status abandon() noexcept { return mqttp2p_abandon(handle()); }
    Status ping() noexcept { return mqttp2p_ping(handle()); }

    Status keep_session() noexcept { return mqttp2p_keep_session(handle()); }
    Status tell_in_parts(std::uint32_t max_whole) noexcept { return mqttp2p_tell_in_parts(handle(), max_whole); }
    Status pace(std::uint16_t max_per_second) noexcept { return mqttp2p_pace(handle(), max_per_second); }
    Status export_session(std::uint8_t *buffer, std::size_t size, std::size_t &length) noexcept
    {
        return mqttp2p_session_export(handle(), buffer, size, &length);
    }
    Status import_session(Bytes session) noexcept { return mqttp2p_session_import(handle(), session); }

    bool is_connected() const noexcept { return mqttp2p_is_connected(handle()) == 1; }
    bool is_idle() const noexcept { return mqttp2p_is_idle(handle()) == 1; }
    Status stats(mqttp2p_stats_t &stats) const noexcept { return mqttp2p_stats(handle(), &stats); }

protected:
    ~Requests() = default;

private:
    mqttp2p_client_t *handle() const noexcept { return static_cast<const Self *>(this)->client(); }
};

#ifdef MQTTP2P_HOSTED
/* A client on the heap, without a transport: for who drives it himself. Move-only; it ends with its owner. Before make()
 * and after it was moved from, every call answers MQTTP2P_E_NULL. */
class Client : public Requests<Client> {
public:
    Client() noexcept = default;
    Client(Client &&other) noexcept : client_(std::exchange(other.client_, nullptr)) {}
    Client &operator=(Client &&other) noexcept
    {
        std::swap(client_, other.client_);
        return *this;
    }
    Client(const Client &) = delete;
    Client &operator=(const Client &) = delete;
    ~Client() { mqttp2p_client_free(client_); }

    /* Makes it, in the place of one that was there. */
    Status make(const Config &config, std::size_t max_tx = 0) noexcept
    {
        mqttp2p_client_free(std::exchange(client_, nullptr));
        return mqttp2p_client_new(&config, max_tx, &client_);
    }

    mqttp2p_client_t *client() const noexcept { return client_; }

    Status connect(std::uint64_t now_ms) noexcept { return mqttp2p_connect(client_, now_ms); }
    Status disconnect(std::uint64_t now_ms) noexcept { return mqttp2p_disconnect(client_, now_ms); }
    Status pause(std::uint64_t now_ms) noexcept { return mqttp2p_pause(client_, now_ms); }
    Status resume(std::uint64_t now_ms) noexcept { return mqttp2p_resume(client_, now_ms); }
    Status transport_opened(std::uint64_t now_ms, const Login &login) noexcept
    {
        return mqttp2p_transport_opened(client_, now_ms, &login);
    }
    Status transport_closed(std::uint64_t now_ms, std::int32_t reason) noexcept
    {
        return mqttp2p_transport_closed(client_, now_ms, reason);
    }
    /* MQTTP2P_WAIT is no error: there is nothing left to do. */
    Status transmitted(std::size_t bytes) noexcept { return mqttp2p_transmitted(client_, bytes); }

    /* `received` is advanced past what was taken. */
    Status poll(std::uint64_t now_ms, Bytes &received, Action &action) noexcept
    {
        const std::uint8_t *rx = received.data();
        std::size_t len = received.size();
        const mqttp2p_status_t status = mqttp2p_poll(client_, now_ms, &rx, &len, &action);
        received = Bytes(rx, len);
        return status;
    }

private:
    mqttp2p_client_t *client_ = nullptr;
};
#endif /* MQTTP2P_HOSTED */

#ifdef MQTTP2P_HPP_SOCKETS
/* mqttp2p_posix_options_t, begun as it must be. What it points to must outlive the connection. */
struct Options : mqttp2p_posix_options_t {
    Options() noexcept : mqttp2p_posix_options_t(MQTTP2P_POSIX_OPTIONS_INIT) {}
};

/* A client with its socket: mqttp2p_posix.h. Move-only; the owner's end closes it, with one second for DISCONNECT. */
class Connection : public Requests<Connection> {
public:
    Connection() noexcept = default;
    Connection(Connection &&other) noexcept : mqtt_(std::exchange(other.mqtt_, nullptr)) {}
    Connection &operator=(Connection &&other) noexcept
    {
        std::swap(mqtt_, other.mqtt_);
        return *this;
    }
    Connection(const Connection &) = delete;
    Connection &operator=(const Connection &) = delete;
    ~Connection() { close(std::chrono::seconds(1)).ignore(); }

    Status open(const Options &options) noexcept
    {
        close(std::chrono::seconds(1)).ignore();
        return mqttp2p_posix_open(&options, &mqtt_);
    }
    Status close(std::chrono::milliseconds timeout) noexcept
    {
        return mqttp2p_posix_close(std::exchange(mqtt_, nullptr), millis(timeout));
    }

    /* Works until something happens. */
    Status next(Action &event) noexcept { return mqttp2p_posix_next(mqtt_, &event, -1); }
    /* The same, for at most so long. */
    Status next(Action &event, std::chrono::milliseconds timeout) noexcept
    {
        return mqttp2p_posix_next(mqtt_, &event, millis(timeout));
    }
    /* From any thread. */
    Status wake() noexcept { return mqttp2p_posix_wake(mqtt_); }

    mqttp2p_client_t *client() const noexcept { return mqttp2p_posix_client(mqtt_); }

private:
    static int millis(std::chrono::milliseconds timeout) noexcept
    {
        constexpr auto most = std::numeric_limits<int>::max();
        return timeout.count() < 0 ? 0 : timeout.count() > most ? most : static_cast<int>(timeout.count());
    }

    mqttp2p_posix_t *mqtt_ = nullptr;
};
#endif /* MQTTP2P_HPP_SOCKETS */

} // namespace mqttp2p

#endif /* MQTTP2P_HPP */

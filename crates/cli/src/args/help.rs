//! The longer texts of the help.

pub(super) const EXIT_CODES: &str = "\
Secrets are better no arguments: set MQTT_P2P_SECRET_KEY, MQTT_P2P_PASSWORD or MQTT_P2P_TOKEN, name a file, or use a profile.

Exit codes:
  0  done
  1  something else failed; demo and bench: a message was lost, or came too often
  2  an argument, the configuration or the message can't be used
  3  no connection: host, port, network, or a server that is not available
  4  the log-in was refused, and would be again
  5  send, publish: no acknowledgement in time, or the connection keeps breaking
  6  listen, subscribe, bench: a subscription was refused
  7  subscribe: -W was over before -C messages had come
 10  doctor: the name was not found
 11  doctor: TCP or the Unix socket does not connect
 12  doctor: the proxy does not let it through
 13  doctor: TLS
 14  doctor: WebSocket
 15  doctor: no answer to CONNECT, or none that is MQTT (a refused log-in is 4)
 16  doctor: no answer to a ping";

pub(super) const DEMO: &str = "\
Starts the emulator on free ports of the loopback address, connects two clients, lets them send each other P2P messages at \
every QoS, and cuts the link of one while both go on. Needs no arguments, no network and no account, and takes a few seconds.

The last line is always `sent N, received N, lost N, duplicates N`, on stdout. The exit code is 0 if nothing was lost and nothing came \
more often than its QoS allows. QoS 1 allows repeats: they are counted apart.

So that QoS 2 holds across the cut, the emulator keeps standard sessions here. The service itself keeps no state of QoS 2 \
from one connection to the next.";

pub(super) const SEND: &str = "\
Sends one message, waits until the server has acknowledged it (QoS 1 and 2), and ends. A connection must come about within \
3 s; one that breaks later is made anew until --timeout is over. A refused log-in is not tried again.

The server keeps the message for a target that is away, unless --clean-session is given. Messages that wait for the sender's \
own client id stay where they are.";

pub(super) const LISTEN: &str = "\
Prints P2P messages to this client id, which need no subscription, and those of the topics that --subscribe names, one a \
line. Subscriptions outlive the program, unless --clean-session is given. Reconnects when the connection breaks. Ctrl-C ends it and says good-bye to the server.

Times are UTC. Control characters are shown as \\u{1b} and the like, so that a message can't play with the terminal; a payload \
that is not UTF-8 is shown in hexadecimal digits. What happens to the connection goes to stderr.

With --json a line is an object with the keys time, topic, qos, retain, dup, and payload (text) or payload_base64 (a payload that \
is not UTF-8); for a P2P topic also parent and target.";

pub(super) const PUBLISH: &str = "\
Publishes one message or many to any MQTT 3.1 or 3.1.1 broker, ApsaraMQ among them, and ends when the server has acknowledged \
them (QoS 1 and 2). The flags are those of mosquitto_pub; -h is the host, so help is --help only.

A connection that breaks is made anew, and what was not acknowledged goes out again; mosquitto_pub would end. With --json each \
message that is through is an object with the keys topic, qos, retain, bytes, acknowledged and millis.";

pub(super) const SUBSCRIBE: &str = "\
Subscribes at any MQTT 3.1 or 3.1.1 broker, ApsaraMQ among them, and prints messages as they come. The flags are those of \
mosquitto_sub; -h is the host, so help is --help only.

Without -F or -v only payloads are printed, a line each: byte for byte into a pipe or a file, with control characters written out \
on a terminal. With --json lines are objects as of `listen`. The end of -W is exit code 7 if -C asked for more messages, else 0.";

pub(super) const BENCH: &str = "\
Publishes and receives over connections of its own, and shows rates and the distribution of latencies. A payload carries the \
time when it was handed to the client; the latency ends when a subscriber of this same program takes the message.

So the figures are those of publisher, network, broker and subscriber together, not of one of them: compare two brokers with \
the same client, or two clients with the same broker, on an idle machine. With many messages under way, latency is mostly \
waiting in line; use --rate for that of a broker at ease.

Client ids are --client-id with -p1, -p2 … and -s1, -s2 … behind it. Ctrl-C ends the sending early. The exit code is 1 if messages of QoS 1 or 2 were lost, or \
those of QoS 0 or 2 came twice.";

pub(super) const DOCTOR: &str = "\
Connects once, shows each step with the time that it took, and explains the first that fails: name, proxy, TCP, TLS, WebSocket, \
CONNECT, and a round trip. Each failure has an exit code of its own.

It logs in as any client does. A client of the same id that is connected loses its connection: use another --client-id if that \
matters. Messages that wait for the client id stay where they are. Without --client-id it takes one that nobody has.

With --json each step is an object with the keys step, ok and millis, and detail, or error and help.";

pub(super) const PROFILES: &str = "\
Lists the profiles of the file, without secrets. A profile keeps what a log-in needs; --profile NAME uses it with any command. \
Arguments override the environment, which overrides the profile.

  [profiles.home]
  url = \"mqtt://192.168.1.2:1883\"
  client_id = \"kitchen\"
  user_name = \"kitchen\"
  password_file = \"/home/me/.secrets/mqtt\"

  [profiles.work]
  url = \"ws://post-cn-example.mqtt.aliyuncs.com\"
  client_id = \"GID_office@@@desk\"
  auth = \"signature\"             # signature, device, token, signed, origin, password, none
  access_key = \"LTAI…\"
  instance = \"post-cn-example\"
  secret_key_env = \"WORK_SECRET\"  # or secret_key_file, or secret_key itself

password and token have the same three forms as secret_key; keep_alive is in seconds; url may be a list, tried in turn. \
For TLS there are cafile, cert, key and server_name, and there is proxy. A file that holds a secret should be readable for you only.";

pub(super) const SIGN: &str = "\
Prints what a client of ApsaraMQ logs in with, in two lines; in signature mode:

  user name: Signature|<access key>|<instance>
  password: <Base64 of HMAC-SHA1 of the client id>

Whoever has the password can log in with that client id: treat it like the secret. The mode is chosen with --auth; MQTT_P2P_SECRET_KEY has the secret.";

pub(super) const EMULATOR: &str = "\
Starts a development stand-in for ApsaraMQ for MQTT on the loopback address. It holds everything in memory and ends with \
Ctrl-C. Without an account of your own it lets in the access key AK with the secret SK. Your own secret is that of MQTT_P2P_SECRET_KEY or of a file.

So that you can see what your program does then, it lets things go wrong:

  --fault refuse-log-ins=CODE          answer each log-in with this return code, 1 to 5
  --fault silent-connack               never answer a log-in
  --fault close-after-connack=SECONDS  close each connection so long after its log-in
  --fault take-over-after=SECONDS      let a second client with the same id log in then
  --fault half-open                    keep links up, and let nothing through
  --fault delay=SECONDS                send everything so much later
  --fault lose-publishes=N             lose the next N messages to clients
  --fault lose-pubacks=N               lose the next N acknowledgements of this kind
  --fault lose-pubrecs=N               the same of QoS 2
  --fault lose-pubrels=N               the same of QoS 2
  --fault lose-pubcomps=N              the same of QoS 2
  --fault lose-subacks=N               the same of subscriptions
  --fault lose-unsubacks=N             the same of their ends
  --fault lose-pingresps=N             the same of pings
  --fault duplicate-publishes=N        send the next N messages twice";

pub(super) const COMPLETIONS: &str = "\
Prints the completions for a shell. For example:

  mqtt-p2p completions bash > ~/.local/share/bash-completion/completions/mqtt-p2p
  mqtt-p2p completions zsh > ~/.zfunc/_mqtt-p2p
  mqtt-p2p completions fish > ~/.config/fish/completions/mqtt-p2p.fish";

"""Figures beside the peers': instructions of a message, bytes of firmware. They are counts, the same on every run."""

import re

from harness import C, OUT, SYSTEM, WARNINGS, cargo_library, check, compile_program, run

# Measured with the same workload and flags; they stand in the design's table and in the issue that asked for this.
CORE_MQTT = {"publish-0": 348, "publish-0-silent": 348, "publish-1": 955, "receive-0": 338}
# What a row does, and how many messages it has.
ROWS = {
    "publish-0-silent": ("publish QoS 0 that ends silently; poll to TRANSMIT", 1),
    "publish-0-silent-10": ("10 publish QoS 0 that end silently; poll to TRANSMIT", 10),
    "publish-0-silent-100": ("100 publish QoS 0 that end silently; poll to TRANSMIT", 100),
    "publish-0": ("publish QoS 0; polls to TRANSMIT, PUBLISHED, WAIT", 1),
    "publish-0-10": ("10 publish QoS 0; poll to TRANSMIT; 10 polls to PUBLISHED; poll to WAIT", 10),
    "publish-0-100": ("100 publish QoS 0; poll to TRANSMIT; 100 polls to PUBLISHED; poll to WAIT", 100),
    "publish-1": ("publish QoS 1; poll to TRANSMIT; PUBACK; polls to PUBLISHED, WAIT", 1),
    "publish-1-10": ("10 publish QoS 1; poll to TRANSMIT; 10 PUBACKs; 10 polls to PUBLISHED; poll to WAIT", 10),
    "publish-1-100": ("100 publish QoS 1; poll to TRANSMIT; 100 PUBACKs; 100 polls to PUBLISHED; poll to WAIT", 100),
    "receive-0": ("receive QoS 0; polls to MESSAGE, WAIT", 1),
}
PEER_SIZES = {
    "coreMQTT 2.3.1": 6176,
    "paho embedded-c": 5344,
    "lwmqtt": 5020,
    "wolfMQTT in 3.1.1 mode": 7388,
}


def counted(program, row, times):
    _, out = run("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, row, times)
    return int(re.search(r"Collected : (\d+)", out)[1])


def instructions():
    library = cargo_library(profile="release")
    program = compile_program("gcc", C / "bench/instructions.c", OUT / "instructions", flags=["-O2"],
                              libraries=[library, *SYSTEM])

    def cost(row, times=1000):
        return (counted(program, row, 2 * times) - counted(program, row, times)) / times

    empty = cost("empty")
    print("| whole client through the C interface, instructions for one message | here | coreMQTT 2.3.1 |\n|---|--:|--:|")
    for row, (what, messages) in ROWS.items():
        each = (cost(row, max(1000 // messages, 20)) - empty) / messages
        print(f"| {what} | {each:.0f} | {CORE_MQTT.get(row, '–')} |")


# What the compiler's own memcpy and the like would take is newlib's, as with the peers.
NEWLIB = ["memcpy", "memmove", "memset", "__aeabi_memcpy", "__aeabi_memcpy4", "__aeabi_memcpy8", "__aeabi_memmove",
          "__aeabi_memmove4", "__aeabi_memmove8", "__aeabi_memset", "__aeabi_memset4", "__aeabi_memset8", "__aeabi_memclr",
          "__aeabi_memclr4", "__aeabi_memclr8"]
# Panics and their texts, allocators, arithmetic of floating point.
FORBIDDEN = re.compile(
    r"core9panicking|core..panicking|panic_fmt|panic_bounds|unwrap_failed|expect_failed|slice_.*_fail|str_slice_error"
    r"|rust_begin_unwind|__rust_alloc|__rdl_alloc|\b(malloc|calloc|realloc|free|_sbrk)\b"
    r"|__aeabi_[df](add|sub|mul|div|cmp)|__aeabi_[ui]l?2[df]|__(add|sub|mul|div)[sd]f3|core3num3flt2dec"
)


def linked(source, library, out):
    flags = ["-mcpu=cortex-m4", "-mthumb", "-Os", "-std=c99", *WARNINGS, "-ffunction-sections", "-fdata-sections",
             "-DMQTTP2P_FREESTANDING", "-I", C / "include", "-I", C / "examples"]
    ours = [f"-Wl,-u,{symbol}" for symbol in NEWLIB]
    out.parent.mkdir(parents=True, exist_ok=True)
    run("arm-none-eabi-gcc", *flags, source, C / "tests/firmware/board.c", "-nostartfiles", "-Wl,--gc-sections",
        "-Wl,--no-warn-execstack", "-T", C / "tests/firmware/link.ld", *ours, "-Wl,--start-group", "-lc", "-lgcc",
        "-Wl,--end-group", library, "-lc", "-lgcc", "-o", out)
    sizes = run("arm-none-eabi-size", "-A", out)[1]
    flash = sum(int(size) for size in re.findall(r"^\.(?:text|rodata|data|ARM\.exidx)\s+(\d+)", sizes, re.M))
    ram = sum(int(size) for size in re.findall(r"^\.(?:data|bss)\s+(\d+)", sizes, re.M))
    return flash, ram


def firmware():
    library = cargo_library(profile="firmware", target="thumbv7em-none-eabi",
                            args=["--no-default-features", "--features", "panic-handler"])
    client, client_ram = linked(C / "examples/minimal.c", library, OUT / "firmware/minimal.elf")
    shell, shell_ram = linked(C / "tests/firmware/shell.c", library, OUT / "firmware/shell.elf")
    print("| Cortex-M4, -Os, gc-sections, no heap | text + rodata over an empty shell, bytes |\n|---|--:|")
    print(f"| mqttp2p, examples/minimal.c: reconnect, resend, queue, QoS 2 included | {client - shell} |")
    for peer, size in PEER_SIZES.items():
        print(f"| {peer}, the caller reconnects | {size} |")
    print(f"static RAM over the shell: {client_ram - shell_ram} bytes, of them 1,040 of buffer")
    symbols = run("arm-none-eabi-nm", OUT / "firmware/minimal.elf")[1]
    bad = [line for line in symbols.splitlines() if FORBIDDEN.search(line)]
    check(not bad, "linked into firmware:\n" + "\n".join(bad))
    # The pattern finds what it looks for where that is.
    everything = run("arm-none-eabi-nm", library, ok=False)[1]
    check(FORBIDDEN.search(everything), "the library as a whole has panics, in code that this firmware does not call")

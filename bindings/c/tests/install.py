"""cargo-c installs the library; then pkg-config, CMake and the README's own commands find it."""

import os
import re
import shutil

from examples import run_examples
from harness import C, COMPILERS, EXAMPLES, OUT, ROOT, STANDARD, TARGET, WARNINGS, check, run, test

PREFIX = OUT / "prefix"


def installed(mosquitto, emulator):
    shutil.rmtree(PREFIX, ignore_errors=True)
    with test("cargo-c installs libraries, headers, helpers, and what pkg-config and CMake look for"):
        # As the README says it.
        run("cargo", "cinstall", "--release", "--manifest-path", C / "Cargo.toml", f"--prefix={PREFIX}",
            "--libdir=lib", "--target-dir", TARGET / "cinstall", cwd=ROOT)
        found = {str(path.relative_to(PREFIX)) for path in PREFIX.rglob("*") if not path.is_dir()}
        version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
        expected = {
            "include/mqttp2p.h", "include/mqttp2p.hpp", "include/mqttp2p_posix.h", "include/mqttp2p_openssl.h",
            "lib/libmqttp2p.a", "lib/libmqttp2p.so", f"lib/libmqttp2p.so.{version}", "lib/libmqttp2p.so.0.1",
            "lib/pkgconfig/mqttp2p.pc", "share/mqttp2p/mqttp2p_posix.c", "share/mqttp2p/mqttp2p_openssl.c",
            "share/cmake/mqttp2p/mqttp2p-config.cmake", "share/cmake/mqttp2p/mqttp2p-config-version.cmake",
        }
        check(found == expected, f"not as expected: {found ^ expected}")
        told = (PREFIX / "share/cmake/mqttp2p/mqttp2p-config-version.cmake").read_text()
        check(f'PACKAGE_VERSION "{version}"' in told, "CMake is told another version")

    with test("the shared library's symbols are those of symbols.txt, each with the soname as its version"):
        library = PREFIX / "lib/libmqttp2p.so"
        soname = re.search(r"SONAME +(\S+)", run("objdump", "-p", library)[1])[1]
        lines = run("nm", "-D", "--defined-only", "--with-symbol-versions", library)[1].splitlines()
        symbols = sorted(line.split()[2] for line in lines if not line.endswith(f" {soname}@@{soname}"))
        symbols = [symbol for symbol in symbols if not symbol.startswith(soname)]
        kept = (C / "symbols.txt").read_text().splitlines()
        expected = sorted(f"{name}@@{soname}" for name in kept if name and not name.startswith("#"))
        check(symbols == expected, f"not as listed: {sorted(set(symbols) ^ set(expected))}")

    with test("every function of the header is a symbol"):
        header = (C / "include/mqttp2p.h").read_text()
        declared = set(re.findall(r"^[^ #/\n][^\n(=]*\b(mqttp2p_\w+)\((?!\*)", header, re.M))
        inline = set(re.findall(r"static inline \w+ (mqttp2p_\w+)\(", header))
        listed = {name for name in (C / "symbols.txt").read_text().split() if name.startswith("mqttp2p_")}
        check(declared - inline == listed, f"not both: {(declared - inline) ^ listed}")

    with test("every name in the documentation is one of the headers"):
        headers = "".join(path.read_text() for path in sorted((C / "include").iterdir()))
        known = set(re.findall(r"\b(?:mqttp2p|MQTTP2P)_\w+", headers)) | {"mqttp2p_posix", "mqttp2p_openssl"}
        for page in [C / "README.md", ROOT / "README.md"]:
            told = set(re.findall(r"\b(?:mqttp2p|MQTTP2P)_\w+", page.read_text()))
            check(told <= known, f"{page.name} names what there is not: {told - known}")

    environment = {"PKG_CONFIG_PATH": str(PREFIX / "lib/pkgconfig"), "LD_LIBRARY_PATH": str(PREFIX / "lib")}
    os.environ.update(environment)
    for compiler in COMPILERS:
        with test(f"{compiler} and pkg-config build the examples"):
            directory = OUT / f"pkg-config-{compiler}"
            directory.mkdir(parents=True, exist_ok=True)
            for name, suffix in EXAMPLES.items():
                by_pkg_config(compiler, name, suffix, directory)
        run_examples(f"pkg-config, {compiler}", directory, mosquitto, emulator)

        with test(f"CMake builds the examples with {compiler}"):
            directory = OUT / f"cmake-{compiler}"
            shutil.rmtree(directory, ignore_errors=True)
            commands = COMPILERS[compiler]
            run("cmake", "-S", C / "examples", "-B", directory, f"-DCMAKE_PREFIX_PATH={PREFIX}",
                f"-DCMAKE_C_COMPILER={commands['.c']}", f"-DCMAKE_CXX_COMPILER={commands['.cpp']}",
                f"-DCMAKE_C_FLAGS={' '.join(WARNINGS)}", f"-DCMAKE_CXX_FLAGS={' '.join(WARNINGS)}")
            run("cmake", "--build", directory)
        run_examples(f"CMake, {compiler}", directory, mosquitto, emulator)
    for name in environment:
        del os.environ[name]

    with test("the README's section on C, pasted, ends in a message that came"):
        pasted(emulator)


def by_pkg_config(compiler, name, suffix, directory):
    """One example, by the commands that a Makefile would have."""
    share = PREFIX / "share/mqttp2p"
    helpers = [share / "mqttp2p_posix.c"] + ([share / "mqttp2p_openssl.c"] if name == "tls" else [])
    openssl = ["openssl"] if name == "tls" else []
    flags = run("pkg-config", "--cflags", "mqttp2p", *openssl)[1].split()
    libraries = run("pkg-config", "--libs", "mqttp2p", *openssl)[1].split()
    objects = []
    for source in [C / "examples" / f"{name}{suffix}", *helpers]:
        objects.append(directory / f"{name}-{source.stem}.o")
        run(COMPILERS[compiler][source.suffix], *STANDARD[source.suffix], *WARNINGS, *flags, "-c", source, "-o", objects[-1])
    run(COMPILERS[compiler][suffix], *objects, *libraries, "-o", directory / name)


def pasted(emulator):
    """Runs the README's section on C in an empty directory, with nothing changed but the port that it connects to."""
    readme = (ROOT / "README.md").read_text()
    section = re.search(r"^## C programs\n(.*?)^## ", readme, re.M | re.S)[1]
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", section, re.M | re.S)
    check([kind for kind, _ in blocks] == ["sh", "c", "sh"], f"other blocks than expected: {[kind for kind, _ in blocks]}")
    (_, install), (_, program), (_, build) = blocks
    place = OUT / "readme"
    shutil.rmtree(place, ignore_errors=True)
    (place / "home").mkdir(parents=True)
    (place / "hello.c").write_text(program)
    # The first block begins in the checkout, the rest in a directory of the reader's.
    script = f"set -e\ncd '{ROOT}'\n{install}\ncd '{place}'\n{build}"
    default = "mqtt://127.0.0.1:1883"
    check(default in script, "the README says where the program connects to")
    script = script.replace(default, emulator.urls["tcp"])
    env = {
        "HOME": str(place / "home"),
        "CARGO_HOME": os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo")),
        "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", os.path.expanduser("~/.rustup")),
        "CARGO_TARGET_DIR": str(TARGET / "cinstall"),
        "MQTT_P2P_SECRET_KEY": "SK",
    }
    _, out = run("bash", "-c", script, env=env, timeout=900)
    check(out.rstrip().endswith("parent/p2p/GID_demo@@@carol: hello, me"), out)

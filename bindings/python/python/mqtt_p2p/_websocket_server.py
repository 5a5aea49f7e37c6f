"""The server's side of WebSocket (RFC 6455), as far as the emulator needs it for tests."""

from __future__ import annotations

import base64
import hashlib

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MAX_HEAD = 8192


class WebSocketServer:
    """One connection: bytes in, MQTT bytes out, and what to answer."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._is_open = False
        #: The connection is to be closed.
        self.is_over = False

    def receive(self, data: bytes) -> tuple[bytes, bytes]:
        """MQTT bytes, and bytes to send back."""
        self._buffer += data
        answer = b""
        if not self._is_open:
            answer = self._handshake()
            if not self._is_open:
                return b"", answer
        mqtt = bytearray()
        while (frame := self._frame()) is not None:
            opcode, payload = frame
            if opcode in (0, 2):
                mqtt += payload
            elif opcode == 8:
                answer += bytes([0x88, len(payload)]) + payload
                self.is_over = True
                break
            elif opcode == 9:
                answer += bytes([0x8A, len(payload)]) + payload
            elif opcode != 10:
                self.is_over = True
                break
        return bytes(mqtt), answer

    @staticmethod
    def frame(packet: bytes) -> bytes:
        """A packet as a message."""
        length = len(packet)
        if length < 126:
            return bytes([0x82, length]) + packet
        if length < 65536:
            return b"\x82\x7e" + length.to_bytes(2) + packet
        return b"\x82\x7f" + length.to_bytes(8) + packet

    def _handshake(self) -> bytes:
        head, end, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        if not end:
            self.is_over = len(head) > _MAX_HEAD
            return b""
        request, *lines = head.split(b"\r\n")
        fields = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)
        }
        key = fields.get(b"sec-websocket-key")
        if not request.startswith(b"GET /mqtt ") or key is None:
            self.is_over = True
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        self._buffer = bytearray(rest)
        self._is_open = True
        accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
        return (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
        )

    def _frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, at = buffer[1] & 0x7F, 2
        if length >= 126:
            size = 2 if length == 126 else 8
            if len(buffer) < 2 + size:
                return None
            length, at = int.from_bytes(buffer[2 : 2 + size]), 2 + size
        if not buffer[1] & 0x80:
            # A client masks.
            self.is_over = True
            return None
        if len(buffer) < at + 4 + length:
            return None
        mask, payload = buffer[at : at + 4], buffer[at + 4 : at + 4 + length]
        opcode = buffer[0] & 0x0F
        del buffer[: at + 4 + length]
        whole = (mask * (length // 4 + 1))[:length]
        clear = int.from_bytes(payload) ^ int.from_bytes(whole)
        return opcode, clear.to_bytes(length)

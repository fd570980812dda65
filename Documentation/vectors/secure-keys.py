#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Prints secure-keys.txt: keys, tokens and MACs of the secure profile by an implementation that has
nothing in common with the module's. HMAC-SHA-256 is Python's own, X25519 is written after the
pseudocode of RFC 7748, section 5, and held against the vectors of that section first."""

import hashlib
import hmac

P = 2**255 - 19

HEAD = """\
# Keys, tokens and MACs of the secure profile (rules S-12 to S-14 and S-63), made by secure-keys.py. Each line: a
# name, then what goes in, then `=` and what comes out, all octets in hexadecimal. `psk` is - where there is
# none; `c` and `s` are flags, key id and nonce of the client's and the server's CAPABLE; a side is c or s;
# `ends` is - where the flags of the UPDATE have NAT, else source and destination as they go into the MAC.
# x25519: scalar, u-coordinate; - for a result that is all zero. keyshare: side, its secret scalar; what
# comes out are half and MAC of each KEYSHARE. keyed: secret scalar of the client and of the server, side.
# exchanged: the same, but with the NAT flag and epoch 1 of an UPDATE that is signed with the new keys."""

# RFC 7748, section 5.2; then points of small order.
X25519 = [
    ("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
     "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
     "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"),
    ("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
     "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
     "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"),
    ("0900000000000000000000000000000000000000000000000000000000000000",
     "0900000000000000000000000000000000000000000000000000000000000000",
     "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"),
    ("0900000000000000000000000000000000000000000000000000000000000000", "00" * 32, "-"),
    ("0900000000000000000000000000000000000000000000000000000000000000", "01" + "00" * 31, "-"),
    ("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
     "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", "-"),
    ("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "-"),
]

V4 = "040a0001099c40040a0002010016"
V6 = "0620010db80000000000000000000000099c400620010db800010000000000000000000101bb"
CHALLENGE = "c0c1c2c3c4c5c6c7"
SETS = [
    ("none", "-", "01000001020304050607", "0100f0f1f2f3f4f5f6f7"),
    ("psk", "".join("%02x" % i for i in range(0x40, 0x60)), "0007a1b2c3d4e5f60718", "00071122334455667788"),
    ("reserved-flags", "-", "8109ffffffffffffffff", "41000000000000000001"),
]
# Any octets are a secret scalar.
SECRETS = {"c": bytes(range(0xa0, 0xc0)).hex(), "s": bytes(range(0x11, 0x31)).hex()}


def x25519(scalar, u):
    k = bytearray(scalar)
    k[0] &= 248
    k[31] = (k[31] & 127) | 64
    k = int.from_bytes(k, "little")
    x1 = int.from_bytes(u, "little") % 2**255
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in reversed(range(255)):
        bit = (k >> t) & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = (aa - bb) % P
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def public(secret):
    return x25519(bytes.fromhex(secret), bytes([9]) + bytes(31))


def h(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def token(contents):
    return h(bytes(32), b"tcp_continuity 1 token", bytes.fromhex(contents)[2:])[:4]


class Keys:
    def __init__(self, root):
        self.root = root
        self.of = {side: h(root, b"tcp_continuity 1 key", bytes([octet])) for side, octet in (("c", 0), ("s", 1))}

    def mac(self, side, subtype, flags, epoch, to, rest, length):
        head = bytes([0x10 | subtype, flags]) + epoch.to_bytes(4, "big") + to
        return h(self.of[side], head, rest)[:length].hex()


def main():
    print(HEAD)
    for scalar, u, expected in X25519:
        got = x25519(bytes.fromhex(scalar), bytes.fromhex(u)).hex()
        got = "-" if got == "00" * 32 else got
        assert expected == got, (scalar, got)
        print("x25519", scalar, u, "=", got)
    for name, psk, c, s in SETS:
        key = bytes(32) if psk == "-" else bytes.fromhex(psk)
        keys = Keys(h(key, b"tcp_continuity 1 root\x01", bytes.fromhex(c), bytes.fromhex(s)))
        shown(name, keys)
        to = {"c": token(s), "s": token(c)}
        for contents in (c, s):
            print("token", contents[4:], "=", token(contents).hex())
        inputs = f"{psk} {c} {s}"
        print("echo", inputs, "=", keys.mac("c", 2, 0, 0, to["c"], b"", 4))
        for side, epoch in (("c", 1), ("s", 0x01020304)):
            at = f"{epoch:08x}"
            for flags, ends in (("01", "-"), ("00", V4), ("00", V6)):
                rest = b"" if ends == "-" else bytes.fromhex(ends)
                print("update", inputs, side, flags, at, ends, "=", keys.mac(side, 3, int(flags), epoch, to[side], rest, 12))
            rest = bytes.fromhex(CHALLENGE)
            print("confirm", inputs, side, at, CHALLENGE, "=", keys.mac(side, 4, 0, epoch, to[side], rest, 8))
            print("response", inputs, side, at, CHALLENGE, "=", keys.mac(side, 5, 0, epoch, to[side], rest, 12))
        values = {side: public(SECRETS[side]) for side in "cs"}
        for side in "cs":
            out = []
            for part in (0, 1):
                half = values[side][16 * part:16 * part + 16]
                out += [half.hex(), keys.mac(side, 6, part, 0, to[side], half, 6)]
            print("keyshare", inputs, side, SECRETS[side], "=", *out)
        shared = x25519(bytes.fromhex(SECRETS["c"]), values["s"])
        assert shared == x25519(bytes.fromhex(SECRETS["s"]), values["c"])
        new = Keys(h(keys.root, b"tcp_continuity 1 ecdh", shared, values["c"], values["s"]))
        shown(name + ", after the exchange", new)
        inputs += f" {SECRETS['c']} {SECRETS['s']}"
        for side in "cs":
            print("keyed", inputs, side, "=", new.mac(side, 7, 0, 0, to[side], b"", 12))
            print("exchanged", inputs, side, "=", new.mac(side, 3, 1, 1, to[side], b"", 12))


def shown(name, keys):
    print(f"# {name}: root {keys.root.hex()}")
    print(f"#   key of what the client sends {keys.of['c'].hex()}")
    print(f"#   key of what the server sends {keys.of['s'].hex()}")


main()

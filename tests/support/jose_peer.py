#!/usr/bin/python3
"""A maker and opener of dual envelopes that shares nothing with ours: jwcrypto's JWE, and commitments from the description.

  jose_peer.py make WEST.jwk EAST.jwk CONTEXT PLAINTEXT    an envelope of two RSA keys (threats E21); files of octets
  jose_peer.py open ENVELOPE CEK                           the plaintext, opened by jwcrypto with the content key alone
  jose_peer.py two-truths WEST.jwk EAST.jwk FIRST SECOND   one whose ciphertext opens to two texts (threats E10), written
                                                           to FIRST and SECOND; it commits to the first key

The result is on standard output. JWKs are those of the daemon's answers, with their "kid".
"""

import hashlib
import json
import secrets
import sys

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.hashes import SHA512
from jwcrypto import jwe, jwk
from jwcrypto.common import base64url_encode

NAMESPACE = "urn:custodyd:v1"
ALG = "RSA-OAEP-256"


def read(path):
    with open(path, "rb") as file:
        return file.read()


def commitment(cek, context, identity, kids):
    listed = b"\0".join(kid.encode() + b"\0" + ALG.encode() for kid in kids)
    info = (
        b"custodyd-jwe-v1 commit\0"
        + hashlib.sha256(base64url_encode(context).encode()).digest()
        + hashlib.sha256(listed).digest()
    )
    return HKDF(SHA512(), 32, identity, info).derive(cek)


def protected_header(cek, context, kids):
    identity = secrets.token_bytes(32)
    space = {
        "rcp": [{"kid": kid, "alg": ALG} for kid in kids],
        "id": base64url_encode(identity),
        "com": base64url_encode(commitment(cek, context, identity, kids)),
    }
    return json.dumps({"enc": "A256GCM", NAMESPACE: space}, separators=(",", ":"))


def make(west, east, context, plaintext):
    keys = [json.loads(read(west)), json.loads(read(east))]
    cek = secrets.token_bytes(32)
    context = read(context)
    protected = protected_header(cek, context, [key["kid"] for key in keys])
    token = jwe.JWE(read(plaintext), protected, algs=[ALG, "A256GCM"], aad=context or None)
    token.cek = cek
    for key in keys:
        public = jwk.JWK(kty="RSA", n=key["n"], e=key["e"])
        token.add_recipient(public, json.dumps({"kid": key["kid"], "alg": ALG}))
    sys.stdout.write(token.serialize())


def open_by_key(envelope, cek):
    """The recipients are not authenticated, so one of them may be written as "dir"."""
    document = json.loads(read(envelope))
    document["recipients"] = [{"header": {"alg": "dir"}}]
    token = jwe.JWE(algs=["dir", "A256GCM"])
    token.deserialize(json.dumps(document), jwk.JWK(kty="oct", k=base64url_encode(read(cek))))
    sys.stdout.buffer.write(token.payload)


# GF(2^128) as SP 800-38D §6.3 has it: the first bit is that of x^0.


def times(left, right):
    product = 0
    for bit in range(127, -1, -1):
        if right >> bit & 1:
            product ^= left
        left = left >> 1 ^ (0xE1 << 120 if left & 1 else 0)
    return product


def power(base, exponent):
    result = 1 << 127
    while exponent:
        if exponent & 1:
            result = times(result, base)
        base = times(base, base)
        exponent >>= 1
    return result


def blocks(octets):
    octets += bytes(-len(octets) % 16)
    return [int.from_bytes(octets[i : i + 16], "big") for i in range(0, len(octets), 16)]


def encrypt_block(key, block):
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # one block: GCM's own use of AES
    return int.from_bytes(encryptor.update(block), "big")


def colliding(keys, iv, aad):
    """Ciphertext of two blocks and tag that are right under both keys: the last block solves for equal tags."""
    first = secrets.token_bytes(16)
    rest = blocks(aad) + blocks(first) + [0, len(aad) * 8 << 64 | 32 * 8]
    hashes = [encrypt_block(key, bytes(16)) for key in keys]
    masks = [encrypt_block(key, iv + b"\0\0\0\1") for key in keys]

    def ghash(subkey, values):
        state = 0
        for value in values:
            state = times(state ^ value, subkey)
        return state

    difference = ghash(hashes[0], rest) ^ ghash(hashes[1], rest) ^ masks[0] ^ masks[1]
    coefficient = times(hashes[0], hashes[0]) ^ times(hashes[1], hashes[1])
    rest[-2] = times(difference, power(coefficient, 2**128 - 2))
    tag = ghash(hashes[0], rest) ^ masks[0]
    return first + rest[-2].to_bytes(16, "big"), tag.to_bytes(16, "big")


def two_truths(west, east, first, second):
    keys = [json.loads(read(west)), json.loads(read(east))]
    ceks = [secrets.token_bytes(32), secrets.token_bytes(32)]
    protected = base64url_encode(protected_header(ceks[0], b"", [key["kid"] for key in keys]))
    iv = secrets.token_bytes(12)
    ciphertext, tag = colliding(ceks, iv, protected.encode())
    recipients = []
    for key, cek, path in zip(keys, ceks, (first, second)):
        with open(path, "wb") as file:  # raises unless the tag is right under this key
            file.write(AESGCM(cek).decrypt(iv, ciphertext + tag, protected.encode()))
        public = jwk.JWK(kty="RSA", n=key["n"], e=key["e"]).get_op_key("wrapKey")
        wrapped = public.encrypt(cek, padding.OAEP(padding.MGF1(SHA256()), SHA256(), None))
        recipients.append(
            {"header": {"kid": key["kid"], "alg": ALG}, "encrypted_key": base64url_encode(wrapped)}
        )
    envelope = {
        "protected": protected,
        "recipients": recipients,
        "iv": base64url_encode(iv),
        "ciphertext": base64url_encode(ciphertext),
        "tag": base64url_encode(tag),
    }
    sys.stdout.write(json.dumps(envelope))


if __name__ == "__main__":
    commands = {"make": make, "open": open_by_key, "two-truths": two_truths}
    commands[sys.argv[1]](*sys.argv[2:])

"""
Sign what is blinded: the raw private operation of RSA, RFC 9474 §4.3. Only the issuer loads it.

1. The blinded message is as long as the modulus, and less than it.
2. It is multiplied by a fresh random number to the power of e, so that nobody chooses the number that meets the key.
3. The private operation, by the Chinese remainder theorem (RFC 8017 §5.2.1), with exponentiations in constant time.
4. The random number is divided out.
5. The result is checked with the public key before it leaves: a fault in 3 would betray the key (RFC 9474 §7.2).

The same message has the same signature, whatever was drawn in 2: a lost answer can be asked for again.

LIMITATIONS: Only the two exponentiations take the same time for all numbers (GMP's `mpz_powm_sec`: no branch and no
address depends on them). Not so: the reductions modulo p and q and the recombination in 3, the inverse in 4, the
comparison in 5, and the conversions between bytes and numbers. What 3 works on is random, and unknown to who asks, by
2; what 4 inverts is random and is not the key. The sizes of p and q, and of both exponents, show. Python and GMP leave
copies of numbers in the memory of the process, which cannot be wiped: whoever reads it has the key.
"""

from __future__ import annotations

import secrets

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from gmpy2 import invert, mpz, powmod, powmod_sec

from handsel.errors import BodyInvalid, ensure


class BlindSigner:
    """
    Hold one private key, ready to sign. Safe for several threads.
    """

    def __init__(self, private: RSAPrivateKey) -> None:
        held = private.private_numbers()
        self._p, self._q, self._n = mpz(held.p), mpz(held.q), mpz(held.public_numbers.n)
        self._dp, self._dq, self._q_inverse = mpz(held.dmp1), mpz(held.dmq1), mpz(held.iqmp)
        self._e = mpz(held.public_numbers.e)
        self._size = (private.key_size + 7) // 8
        self._below = held.public_numbers.n - 1

    def can_sign(self, blinded: bytes) -> bool:
        """
        Return whether a blinded message has the length of the modulus, and is less than it.
        """
        return len(blinded) == self._size and int.from_bytes(blinded, "big") <= self._below

    def sign(self, blinded: bytes) -> bytes:
        """
        Return the blind signature, as long as the modulus. Raises `BodyInvalid`.
        """
        if not self.can_sign(blinded):  # 1
            raise BodyInvalid("a blinded message is as long as the modulus, and less than it")
        message = mpz.from_bytes(blinded, "big")
        factor = mpz(1 + secrets.randbelow(self._below))
        inverse = invert(factor, self._n)
        masked = message * powmod(factor, self._e, self._n) % self._n  # 2
        signature = self._private(masked) * inverse % self._n  # 3, 4
        ensure(powmod(signature, self._e, self._n) == message, "a blind signature that leaves is right")  # 5
        return int(signature).to_bytes(self._size, "big")

    def _private(self, number: mpz) -> mpz:
        """
        Return the power of `number` to d modulo n.
        """
        at_p = powmod_sec(number % self._p, self._dp, self._p)
        at_q = powmod_sec(number % self._q, self._dq, self._q)
        return at_q + self._q * ((at_p - at_q) * self._q_inverse % self._p)

// Settings, keys, sealing, our own credentials, and what each Durable Object promises.

import type { Requirement } from "../requirement.ts";

export const storage = {
  "storage.two_versions": {
    source: "gateway",
    behaviour:
      "While two versions are alive, or after a rollback, whoever needs what the other side does not know gets 503 and a time, and loses nothing.",
  },
  "storage.described": {
    source: "OWASP ASVS 5.0 14.1.1",
    behaviour:
      "Every stored table and field is described in src/storage/README.md, and none that does not exist.",
  },
  "storage.upgrade": {
    source: "gateway",
    behaviour:
      "Rows of an older schema are kept by an upgrade, each step runs once or not at all, and they work.",
  },
  "storage.people": {
    source: "gateway",
    behaviour:
      "A person is found by the hash of an e-mail address that is kept sealed, with their own connections only.",
  },
  "settings.complete": {
    source: "OWASP ASVS 13.1.1",
    behaviour:
      "Each setting has a default, bounds, and a refusal of everything outside them; all problems at once.",
  },
  "settings.no_values_told": {
    source: "OWASP ASVS 16.5.1",
    behaviour: "Problems with settings are told by name and never repeat a value.",
  },
  "settings.sealing_keys": {
    source: "OWASP ASVS 11.2.3",
    behaviour: "A key ring with a short, weak, repeated or malformed key is refused at start.",
  },
  "settings.clients": {
    source: "RFC 7591 §2",
    behaviour: "Clients in the settings obey the rules of registration and are told apart from all others.",
  },
  "seal.round_trip": {
    source: "RFC 7516 §5",
    behaviour: "A sealed value opens where it was sealed and shows nothing of its content before that.",
  },
  "seal.context": {
    source: "RFC 7516 §5.1, OWASP ASVS 11.3.3",
    behaviour: "A sealed value opens for its own purpose, deployment, object, field and generation only.",
  },
  "seal.tampering": {
    source: "NIST SP 800-38D §5.2",
    behaviour: "A sealed value with any bit changed, cut or added is refused whole.",
  },
  "seal.header": {
    source: "RFC 8725 §3.1, RFC 7516 §4.1",
    behaviour:
      "Other algorithms, compression and critical headers are refused, whatever the value says of itself.",
  },
  "seal.rotation": {
    source: "NIST SP 800-57 Part 1 §5.3.4",
    behaviour:
      "The first key seals, every key opens, and a missing key is named and leaves the record as it is.",
  },
  "seal.holder": {
    source: "RFC 9700 §4.14.2",
    behaviour:
      "A kept token answer opens for whoever presents the credential that it answered, and nobody else.",
  },
  "keys.purposes": {
    source: "RFC 5869 §3.2, NIST SP 800-108",
    behaviour: "Each purpose has its own key, derived and never extractable.",
  },
  "credential.claims": {
    source: "RFC 6749 §10.10",
    behaviour: "A credential of ours carries 256 random bits and its claims, and is kept as a hash.",
  },
  "credential.tag": {
    source: "RFC 6750 §5.2",
    behaviour: "A made-up, changed, expired or foreign credential is refused before any object is asked.",
  },
  "credential.kind": {
    source: "RFC 8725 §3.11",
    behaviour: "A credential of one kind is never taken for one of another kind.",
  },
  "storage.no_write_by_looking": {
    source: "OWASP ASVS 2.4.1",
    behaviour: "A request that proves nothing creates no object and writes nothing.",
  },
  "storage.retry": {
    source: "gateway",
    behaviour: "A call to an object is repeated only when the platform says so, three times at most.",
  },
  "storage.migrations": {
    source: "gateway",
    behaviour: "A schema changes forward in one transaction, and a newer one is left alone.",
  },
  "storage.gong_tokens_sealed": {
    source: "OWASP ASVS 14.2.4",
    behaviour: "No token, code, state or secret is in an object's storage in the clear.",
  },
  "storage.wrong_key": {
    source: "NIST SP 800-57 Part 1 §5.3.4",
    behaviour: "With a missing sealing key calls get 503, records stay, and the key brings everything back.",
  },
  "storage.connection": {
    source: "gateway",
    behaviour: "A connection is opened, healed, described and ended as one state, with its grants.",
  },
  "storage.code_single_use": {
    source: "RFC 6749 §4.1.2, §10.5",
    behaviour: "One code gives one set of tokens, whatever arrives in parallel; a late replay ends them.",
  },
  "storage.rotation_idempotent": {
    source: "RFC 9700 §4.14.2",
    behaviour: "Parallel and repeated refreshes get one successor; a lost answer is given again.",
  },
  "storage.reuse_revokes": {
    source: "RFC 9700 §4.14.2",
    behaviour: "A refresh token two generations old, or replaced by a used one, ends its family.",
  },
  "storage.wrong_client_harmless": {
    source: "RFC 6749 §5.2",
    behaviour: "What a wrong client or a wrong verifier presents has no effect on the rightful client.",
  },
  "storage.grant_ends": {
    source: "RFC 9700 §4.14, OWASP ASVS 10.4.8",
    behaviour: "Grants end by idleness, by age, and by revocation, and take their tokens with them.",
  },
  "storage.eviction": {
    source: "gateway",
    behaviour: "An object that is evicted between any two steps goes on from what it stored.",
  },
  "storage.transaction": {
    source: "RFC 6749 §10.12, RFC 9700 §4.7",
    behaviour: "A transaction is taken once, by the browser that began it, within ten minutes.",
  },
  "storage.registry": {
    source: "RFC 7591 §5",
    behaviour: "Registrations expire unless used, are renewed by use, and keep to their quota.",
  },
  "storage.admin_lock_out": {
    source: "OWASP ASVS 6.3.1",
    behaviour: "Guessing the admin token slows down by address, also when guesses come in parallel.",
  },
  "storage.admin_sessions": {
    source: "OWASP ASVS 7.3.1, 7.3.2",
    behaviour: "Admin sessions end by idleness, by age, by sign-out, and beyond ten at once.",
  },
  "storage.identity_key": {
    source: "gateway",
    behaviour: "The key that names connections is chosen once, whoever asks first, and never changes.",
  },
} as const satisfies Record<string, Requirement>;

/** Certificates and rules of many connections: OpenSSL's `SSL_CTX`. */

import { createHash, hkdfSync } from "node:crypto";
import { DEFAULT_CIPHERS } from "node:tls";
import { NativeMemory } from "./ffi.ts";
import * as tls from "./tls-library.ts";
import { takeError, type TlsLibrary } from "./tls-library.ts";

/** Name of the key, key of the digest, key of the cipher: what OpenSSL takes for tickets. */
const TICKET_KEY_BYTES = 80;
/** Certificates in one file; a bundle of authorities has about 150. */
const MAX_CERTIFICATES = 10_000;

export interface Credential {
  /** PEM; the first is the server's own, the others lead to an authority. */
  readonly cert: Uint8Array;
  /** PEM, without a passphrase. */
  readonly key: Uint8Array;
}

export interface ServerContextOptions {
  /** Of one kind of key each; the client says which it can verify. */
  readonly credentials: readonly Credential[];
  readonly minimumVersion: "1.2" | "1.3";
  readonly clientCertificate: "off" | "optional" | "required";
  /** PEM of the authorities of clients. */
  readonly clientCa?: Uint8Array;
  /** A secret that all processes share; undefined: tickets are good at this one only. */
  readonly ticketSecret?: Uint8Array;
}

export interface ClientContextOptions {
  readonly verify: boolean;
  /** PEM of the authorities of servers. */
  readonly ca: readonly (Uint8Array | string)[];
  readonly certificate?: Uint8Array;
  readonly key?: Uint8Array;
}

export class TlsContext {
  readonly openssl: TlsLibrary;
  readonly address: number;
  /** What names the key of its tickets; undefined: nobody else's business. */
  readonly ticketName: Uint8Array | undefined;
  #isFree = false;

  /** Throws with OpenSSL's reason when something cannot be used. */
  static server(library: TlsLibrary, options: ServerContextOptions): TlsContext {
    const { clientCa, clientCertificate, minimumVersion, ticketSecret } = options;
    const { credentials } = options;
    const identity = identityOf({ ...options, certificates: credentials.map(({ cert }) => cert) });
    const keys =
      ticketSecret &&
      new Uint8Array(hkdfSync("sha256", ticketSecret, identity, "tickets", TICKET_KEY_BYTES));
    const context = new TlsContext(library, library.serverMethod(), keys?.subarray(0, 16));
    return context.#set(() => {
      context.#rule(minimumVersion === "1.3" ? tls.TLS1_3_VERSION : tls.TLS1_2_VERSION);
      for (const { cert, key } of credentials) context.#own(cert, key);
      if (clientCa !== undefined) context.#trust([clientCa], true);
      context.#ask(VERIFY_MODES[clientCertificate]);
      library.contextSessionId(context.address, identity, identity.length);
      if (keys !== undefined) context.#sealTicketsWith(keys);
      library.contextAlpnSelect(context.address, Number(tls.alpnAnswer(library)), 0);
    });
  }

  /** The same towards servers. */
  static client(library: TlsLibrary, options: ClientContextOptions): TlsContext {
    const { ca, certificate, key, verify } = options;
    const context = new TlsContext(library, library.clientMethod());
    return context.#set(() => {
      context.#rule(tls.TLS1_2_VERSION);
      if (certificate !== undefined) context.#own(certificate, key ?? certificate);
      context.#trust(ca, false);
      context.#ask(verify ? tls.SSL_VERIFY_PEER : tls.SSL_VERIFY_NONE);
      const offer = Buffer.from("\x08http/1.1");
      library.contextAlpnOffer(context.address, offer, offer.length);
    });
  }

  private constructor(library: TlsLibrary, method: number, ticketName?: Uint8Array) {
    this.openssl = library;
    this.ticketName = ticketName;
    this.address = library.contextNew(method);
    if (this.address === 0) throw new Error(takeError(library));
  }

  /** Connections that stand keep what they need. A second call does nothing. */
  free(): void {
    if (this.#isFree) return;
    this.#isFree = true;
    this.openssl.contextFree(this.address);
  }

  #set(body: () => void): this {
    try {
      body();
      return this;
    } catch (error) {
      this.free();
      throw error;
    } finally {
      this.openssl.clearErrors();
    }
  }

  #rule(minimum: number): void {
    const { openssl: library, address } = this;
    library.contextControl(address, tls.SSL_CTRL_SET_MIN_PROTO_VERSION, minimum, 0);
    library.contextControl(address, tls.SSL_CTRL_MODE, tls.SSL_MODE_RELEASE_BUFFERS, 0);
    library.contextControl(address, tls.SSL_CTRL_SET_SESS_CACHE_MODE, tls.SSL_SESS_CACHE_OFF, 0);
    const noRenegotiation = tls.SSL_OP_NO_RENEGOTIATION | tls.SSL_OP_NO_COMPRESSION;
    library.contextOptions(address, noRenegotiation | tls.SSL_OP_CIPHER_SERVER_PREFERENCE);
    // Node's own, so that both ways of serving TLS speak the same: the suites of TLS 1.3 apart.
    const names = DEFAULT_CIPHERS.split(":");
    const suites = names.filter((name) => name.startsWith("TLS_"));
    const ciphers = names.filter((name) => !name.startsWith("TLS_"));
    this.#must(library.contextSuites(address, suites.join(":")));
    this.#must(library.contextCiphers(address, ciphers.join(":")));
  }

  #own(certificate: Uint8Array, key: Uint8Array): void {
    const { openssl: library, address } = this;
    const chain = certificatesOf(library, certificate);
    try {
      if (chain.length === 0) throw new Error("no certificate in PEM");
      this.#must(library.contextCertificate(address, chain[0]!));
      for (const one of chain.slice(1)) {
        this.#must(library.contextControl(address, tls.SSL_CTRL_CHAIN_CERT, 1, one));
      }
    } finally {
      for (const one of chain) library.certificateFree(one);
    }
    const pkey = fromPem(library, key, (bio) => library.readKey(bio, 0, 0, NO_PASSPHRASE.address));
    this.#must(pkey === 0 ? 0 : 1);
    try {
      this.#must(library.contextKey(address, pkey));
      this.#must(library.contextKeyFits(address));
    } finally {
      library.keyFree(pkey);
    }
  }

  /** `tell`: clients are told the names of these authorities. */
  #trust(authorities: readonly (Uint8Array | string)[], tell: boolean): void {
    const { openssl: library, address } = this;
    const store = library.contextStore(address);
    for (const pem of authorities) {
      for (const x509 of certificatesOf(library, Buffer.from(pem))) {
        library.storeAdd(store, x509);
        if (tell) library.contextClientCa(address, x509);
        library.certificateFree(x509);
      }
    }
  }

  #ask(mode: number): void {
    this.openssl.contextVerify(this.address, mode, 0);
  }

  #sealTicketsWith(keys: Uint8Array): void {
    const memory = new NativeMemory(TICKET_KEY_BYTES);
    memory.bytes.set(keys);
    const set = tls.SSL_CTRL_SET_TLSEXT_TICKET_KEYS;
    this.#must(this.openssl.contextControl(this.address, set, TICKET_KEY_BYTES, memory.address));
    memory.bytes.fill(0);
  }

  #must(result: number): void {
    if (result <= 0) throw new Error(takeError(this.openssl));
  }
}

const VERIFY_MODES: Readonly<Record<ServerContextOptions["clientCertificate"], number>> = {
  off: tls.SSL_VERIFY_NONE,
  optional: tls.SSL_VERIFY_PEER,
  required: tls.SSL_VERIFY_PEER | tls.SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
};

/** Otherwise OpenSSL asks for one at the terminal. */
const NO_PASSPHRASE = new NativeMemory(1);

/**
 * A session may be resumed where all of this is the same: neither under another certificate nor where
 * clients are judged otherwise. 32 bytes, what OpenSSL allows at most.
 */
export function identityOf(
  options: Pick<ServerContextOptions, "clientCa" | "clientCertificate" | "minimumVersion"> & {
    readonly certificates: readonly Uint8Array[];
  },
): Uint8Array {
  const { certificates, clientCa, clientCertificate, minimumVersion } = options;
  const hash = createHash("sha256");
  for (const part of [...certificates, clientCa ?? "", clientCertificate, minimumVersion]) {
    hash.update(`${part.length}:`).update(part);
  }
  return hash.digest();
}

/** Addresses of all that there are; the caller frees each. */
function certificatesOf(library: TlsLibrary, pem: Uint8Array): number[] {
  const found: number[] = [];
  fromPem(library, pem, (bio) => {
    while (found.length < MAX_CERTIFICATES) {
      const one = library.readCertificate(bio, 0, 0, NO_PASSPHRASE.address);
      if (one === 0) break;
      found.push(one);
    }
  });
  library.clearErrors();
  return found;
}

function fromPem<T>(library: TlsLibrary, pem: Uint8Array, body: (bio: number) => T): T {
  const memory = new NativeMemory(Math.max(1, pem.length));
  memory.bytes.set(pem);
  const bio = library.memoryBio(memory.address, pem.length);
  try {
    return body(bio);
  } finally {
    library.bioFree(bio);
    // It may have been a key.
    memory.bytes.fill(0);
  }
}

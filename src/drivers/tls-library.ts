/**
 * OpenSSL as the node executable exports it, called directly: a record is then one call
 * and no stream, event or object. Node's own TLS costs several times as much per request.
 *
 * Only functions of OpenSSL's documented interface, and the numbers of its macros, which are part of
 * its ABI (ssl.h, tls1.h, bio.h). A node that is linked otherwise may lack them: `tlsLibrary` then
 * tells why, and connections go through Node's streams.
 */

import { load, pointer, proto, register } from "koffi";
import { NativeMemory } from "./ffi.ts";

type Word = number | bigint | string | Uint8Array | BigUint64Array;
type Text = "version" | "verifyText" | "errorText";

export type TlsLibrary = {
  readonly [Name in keyof typeof DECLARATIONS]: (
    ...words: readonly Word[]
  ) => Name extends Text ? string | null : number;
};

let opened: { readonly functions?: TlsLibrary; readonly trouble?: string } | undefined;

/** Undefined when this node does not export what is needed. */
export function tlsLibrary(): TlsLibrary | undefined {
  return look().functions;
}

/** Why connections go through Node's streams; undefined: they do not. */
export function tlsLibraryTrouble(): string | undefined {
  return look().trouble;
}

function look(): NonNullable<typeof opened> {
  if (opened !== undefined) return opened;
  try {
    opened = { functions: open() };
  } catch (error) {
    opened = { trouble: (error as Error).message };
  }
  return opened;
}

/** SSL_get_error(3). */
export const SSL_ERROR_WANT_READ = 2;
export const SSL_ERROR_ZERO_RETURN = 6;

/** Numbers of macros that end in `SSL_CTX_ctrl` or `SSL_ctrl`. */
export const SSL_CTRL_MODE = 33;
export const SSL_CTRL_SET_SESS_CACHE_MODE = 44;
export const SSL_CTRL_SET_TLSEXT_HOSTNAME = 55;
export const SSL_CTRL_SET_TLSEXT_TICKET_KEYS = 59;
export const SSL_CTRL_CHAIN_CERT = 89;
export const SSL_CTRL_SET_MIN_PROTO_VERSION = 123;

export const TLS1_2_VERSION = 0x0303;
export const TLS1_3_VERSION = 0x0304;
export const SSL_MODE_RELEASE_BUFFERS = 0x10;
export const SSL_SESS_CACHE_OFF = 0;
export const SSL_OP_NO_COMPRESSION: bigint = 1n << 17n;
export const SSL_OP_CIPHER_SERVER_PREFERENCE: bigint = 1n << 22n;
export const SSL_OP_NO_RENEGOTIATION: bigint = 1n << 30n;
export const SSL_VERIFY_NONE = 0;
export const SSL_VERIFY_PEER = 1;
export const SSL_VERIFY_FAIL_IF_NO_PEER_CERT = 2;
export const BIO_CTRL_RESET = 1;

const SSL_TLSEXT_ERR_OK = 0;
const SSL_TLSEXT_ERR_ALERT_FATAL = 2;
const SSL_TLSEXT_ERR_NOACK = 3;

/** What is called, by our names for it. */
const DECLARATIONS = {
  // Contexts.
  serverMethod: "uintptr_t TLS_server_method()",
  clientMethod: "uintptr_t TLS_client_method()",
  contextNew: "uintptr_t SSL_CTX_new(uintptr_t method)",
  contextFree: "void SSL_CTX_free(uintptr_t context)",
  contextControl:
    "long SSL_CTX_ctrl(uintptr_t context, int command, long number, uintptr_t argument)",
  contextOptions: "uint64_t SSL_CTX_set_options(uintptr_t context, uint64_t options)",
  contextCiphers: "int SSL_CTX_set_cipher_list(uintptr_t context, const char *list)",
  contextSuites: "int SSL_CTX_set_ciphersuites(uintptr_t context, const char *list)",
  contextCertificate: "int SSL_CTX_use_certificate(uintptr_t context, uintptr_t x509)",
  contextKey: "int SSL_CTX_use_PrivateKey(uintptr_t context, uintptr_t key)",
  contextKeyFits: "int SSL_CTX_check_private_key(uintptr_t context)",
  contextVerify: "void SSL_CTX_set_verify(uintptr_t context, int mode, uintptr_t callback)",
  contextStore: "uintptr_t SSL_CTX_get_cert_store(uintptr_t context)",
  contextClientCa: "int SSL_CTX_add_client_CA(uintptr_t context, uintptr_t x509)",
  contextSessionId:
    "int SSL_CTX_set_session_id_context(uintptr_t context, const void *id, uint32_t length)",
  contextAlpnSelect:
    "void SSL_CTX_set_alpn_select_cb(uintptr_t context, uintptr_t callback, uintptr_t argument)",
  contextAlpnOffer:
    "int SSL_CTX_set_alpn_protos(uintptr_t context, const void *list, uint32_t length)",
  storeAdd: "int X509_STORE_add_cert(uintptr_t store, uintptr_t x509)",
  // Certificates and keys.
  memoryBio: "uintptr_t BIO_new_mem_buf(uintptr_t bytes, int length)",
  bioFree: "int BIO_free(uintptr_t bio)",
  readCertificate:
    "uintptr_t PEM_read_bio_X509(uintptr_t bio, uintptr_t into, uintptr_t callback, uintptr_t u)",
  readKey:
    "uintptr_t PEM_read_bio_PrivateKey(uintptr_t bio, uintptr_t into, uintptr_t callback, uintptr_t u)",
  certificateFree: "void X509_free(uintptr_t x509)",
  certificateBytes: "int i2d_X509(uintptr_t x509, uintptr_t out)",
  keyFree: "void EVP_PKEY_free(uintptr_t key)",
  // Connections.
  connectionNew: "uintptr_t SSL_new(uintptr_t context)",
  connectionFree: "void SSL_free(uintptr_t ssl)",
  connectionControl: "long SSL_ctrl(uintptr_t ssl, int command, long number, const char *argument)",
  accepting: "void SSL_set_accept_state(uintptr_t ssl)",
  connecting: "void SSL_set_connect_state(uintptr_t ssl)",
  setBio: "void SSL_set_bio(uintptr_t ssl, uintptr_t readBio, uintptr_t writeBio)",
  handshake: "int SSL_do_handshake(uintptr_t ssl)",
  read: "int SSL_read(uintptr_t ssl, uintptr_t bytes, int length)",
  write: "int SSL_write(uintptr_t ssl, uintptr_t bytes, int length)",
  shutdown: "int SSL_shutdown(uintptr_t ssl)",
  errorOf: "int SSL_get_error(uintptr_t ssl, int result)",
  version: "const char *SSL_get_version(uintptr_t ssl)",
  peerCertificate: "uintptr_t SSL_get1_peer_certificate(uintptr_t ssl)",
  verifyResult: "long SSL_get_verify_result(uintptr_t ssl)",
  verifyText: "const char *X509_verify_cert_error_string(long result)",
  expectHost: "int SSL_set1_host(uintptr_t ssl, const char *name)",
  sessionOf: "uintptr_t SSL_get1_session(uintptr_t ssl)",
  setSession: "int SSL_set_session(uintptr_t ssl, uintptr_t session)",
  sessionFree: "void SSL_SESSION_free(uintptr_t session)",
  sessionUsable: "int SSL_SESSION_is_resumable(uintptr_t session)",
  // The pair of BIOs that all connections share.
  bioPair: "int BIO_new_bio_pair(void *one, size_t oneSize, void *two, size_t twoSize)",
  bioUpRef: "int BIO_up_ref(uintptr_t bio)",
  bioControl: "long BIO_ctrl(uintptr_t bio, int command, long number, uintptr_t argument)",
  bioPending: "size_t BIO_ctrl_pending(uintptr_t bio)",
  bioWrite: "int BIO_write(uintptr_t bio, const void *bytes, int length)",
  bioRoom: "int BIO_nwrite0(uintptr_t bio, uintptr_t at)",
  bioWritten: "int BIO_nwrite(uintptr_t bio, uintptr_t at, int count)",
  bioTake: "int BIO_nread(uintptr_t bio, uintptr_t at, int count)",
  // Errors of this thread.
  peekError: "ulong ERR_peek_error()",
  lastError: "ulong ERR_peek_last_error()",
  clearErrors: "void ERR_clear_error()",
  errorText: "const char *ERR_reason_error_string(ulong error)",
  copy: "void memcpy(uintptr_t to, uintptr_t from, size_t count)",
} as const;

/** Throws when a symbol is missing. */
function open(): TlsLibrary {
  const program = load(null);
  const entries = Object.entries(DECLARATIONS).map(([name, text]) => [name, program.func(text)]);
  return Object.fromEntries(entries) as TlsLibrary;
}

/**
 * SSL_get_error goes wrong when the queue of errors holds something older. To look costs a fifth of
 * clearing it.
 */
export function forgetErrors(library: TlsLibrary): void {
  if (library.peekError() !== 0) library.clearErrors();
}

/** The newest error in words, and the queue is empty again. */
export function takeError(library: TlsLibrary): string {
  const error = library.lastError();
  library.clearErrors();
  const text = error === 0 ? null : library.errorText(error);
  return text ?? "TLS failed";
}

// ---- ALPN (RFC 7301): the one thing that OpenSSL asks a server by a callback ----

const HTTP1 = Buffer.from("http/1.1");
/** To a client that offers protocols. `nothing`: whatever it speaks, as if ALPN were unknown here. */
export type AlpnAnswer = "http/1.1" | "nothing" | "alert";
let nextAnswer: AlpnAnswer = "alert";
let alpnCallback: bigint | undefined;

/** What the next handshake says. */
export function answerAlpn(answer: AlpnAnswer): void {
  nextAnswer = answer;
}

/** The address of the callback; one for all contexts. */
export function alpnAnswer(library: TlsLibrary): bigint {
  if (alpnCallback !== undefined) return alpnCallback;
  const name = new NativeMemory(HTTP1.length);
  name.bytes.set(HTTP1);
  const answer = new NativeMemory(16);
  answer.setPointer(0, name.address);
  answer.bytes[8] = HTTP1.length;
  const type = proto(
    "int NinesAlpn(uintptr_t ssl, uintptr_t out, uintptr_t length, uintptr_t list, uint32_t size, uintptr_t u)",
  );
  alpnCallback = register((_ssl: number, out: number, length: number) => {
    if (nextAnswer === "nothing") return SSL_TLSEXT_ERR_NOACK;
    // `name` is held here as long as OpenSSL may point to it.
    if (nextAnswer === "alert" || name.address === 0) return SSL_TLSEXT_ERR_ALERT_FATAL;
    library.copy(out, answer.address, 8);
    library.copy(length, answer.address + 8, 1);
    return SSL_TLSEXT_ERR_OK;
  }, pointer(type));
  return alpnCallback;
}

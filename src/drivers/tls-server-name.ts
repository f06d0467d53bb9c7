/** The name that a server must prove over TLS, for Node's own sockets. */

import { isIP } from "node:net";
import { checkServerIdentity, type ConnectionOptions } from "node:tls";

/** RFC 6066 section 3: no address is sent, and Node throws at one. It is verified all the same. */
export function expectedServer(name: string): ConnectionOptions {
  if (isIP(name) === 0) return { servername: name };
  return { checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate) };
}

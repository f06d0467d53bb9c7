/**
 * Where the console listens. A place that is taken is told and tried again: nothing that holds addresses
 * or serves requests waits for a page.
 */

import { chmodSync, readFileSync, statSync } from "node:fs";
import type { Server } from "node:http";
import type { Server as TlsServer } from "node:https";
import { createSecureContext } from "node:tls";
import { removeStaleSocket } from "../daemon/line-connection.ts";
import type { ConsoleSettings } from "../config/service/service-model.ts";
import { onBeat } from "../drivers/beat.ts";
import { tlsOptions, type DoorOptions, type TlsMaterial } from "./web-server.ts";

const RETRY_MS = 5_000;
const LOOK_MS = 5_000;

export interface DoorsOptions {
  readonly socketPath: string;
  readonly open: (options: DoorOptions) => Server;
  /** Once for each change: `trouble` is undefined when it is over. */
  readonly report: (place: string, trouble: string | undefined) => void;
}

interface Place {
  readonly name: string;
  readonly server: Server;
  readonly listen: () => void;
  timer?: NodeJS.Timeout | undefined;
  trouble?: string | undefined;
}

export class Doors {
  readonly #options: DoorsOptions;
  readonly #local: Place;
  readonly #stopLooking: () => void;
  #places: Place[] = [];
  #settings = "";
  #listen: ConsoleSettings["listen"] = [];
  #files: ConsoleSettings["tls"];
  #stamp = "";

  constructor(options: DoorsOptions) {
    this.#options = options;
    const { socketPath } = options;
    this.#local = this.#place(socketPath, options.open({ isLocal: true }), (server) => {
      removeStaleSocket(socketPath);
      server.listen(socketPath, () => chmodSync(socketPath, 0o600));
    });
    this.#stopLooking = onBeat(() => this.#look(), LOOK_MS);
  }

  get troubles(): readonly string[] {
    const all = [this.#local, ...this.#places].map(({ trouble }) => trouble);
    return all.filter((trouble) => trouble !== undefined);
  }

  /** Open connections live on where nothing changed. */
  configure({ listen, tls }: ConsoleSettings): void {
    const settings = JSON.stringify([listen, tls]);
    if (settings === this.#settings) return;
    this.#settings = settings;
    this.#listen = listen;
    this.#files = tls;
    for (const place of this.#places) this.#shut(place);
    this.#places = [];
    const material = this.#material();
    if (tls === undefined || material !== undefined) this.#openAll(material);
  }

  #openAll(material: TlsMaterial | undefined): void {
    this.#places = this.#listen.flatMap((bind) => {
      if (bind.kind !== "ip") return [];
      const host = bind.address.includes(":") ? `[${bind.address}]` : bind.address;
      const server = this.#options.open({
        isLocal: false,
        ...(material === undefined ? {} : { tls: material }),
      });
      const { address, port } = bind;
      return [this.#place(`${host}:${port}`, server, (one) => one.listen({ host: address, port }))];
    });
  }

  close(): void {
    this.#stopLooking();
    for (const place of [this.#local, ...this.#places]) this.#shut(place);
  }

  #place(name: string, server: Server, listenOn: (server: Server) => void): Place {
    const listen = (): void => {
      try {
        listenOn(server);
      } catch (error) {
        failed(error as NodeJS.ErrnoException);
      }
    };
    const place: Place = { name, server, listen };
    const failed = (error: NodeJS.ErrnoException): void => {
      this.#tell(place, sentence(name, error));
      place.timer = setTimeout(listen, RETRY_MS);
      place.timer.unref();
    };
    server.on("error", failed);
    server.on("listening", () => this.#tell(place, undefined));
    listen();
    return place;
  }

  #tell(place: Place, trouble: string | undefined): void {
    if (place.trouble === trouble) return;
    place.trouble = trouble;
    this.#options.report(place.name, trouble);
  }

  #shut({ server, timer }: Place): void {
    clearTimeout(timer);
    server.removeAllListeners("error");
    server.on("error", () => undefined);
    server.close();
    server.closeAllConnections();
  }

  /** New certificates count for new connections; broken ones do not, and open nothing. */
  #look(): void {
    if (this.#files === undefined || this.#stamp === stampOf(this.#files)) return;
    const material = this.#material();
    if (material === undefined) return;
    if (this.#places.length === 0) return this.#openAll(material);
    for (const { server } of this.#places) {
      (server as TlsServer).setSecureContext(tlsOptions(material));
    }
  }

  #material(): TlsMaterial | undefined {
    const files = this.#files;
    if (files === undefined) return undefined;
    this.#stamp = stampOf(files);
    try {
      const { clientCa } = files;
      const material = {
        cert: readFileSync(files.certificate),
        key: readFileSync(files.key),
        ...(clientCa === undefined ? {} : { clientCa: readFileSync(clientCa) }),
      };
      // Of two files that are replaced one after the other, the key may still be that of the certificate before.
      createSecureContext(tlsOptions(material));
      return material;
    } catch (error) {
      this.#options.report("tls", `the page's certificate cannot be used: ${String(error)}`);
      return undefined;
    }
  }
}

function stampOf(files: NonNullable<ConsoleSettings["tls"]>): string {
  return Object.values(files)
    .map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0)
    .join(" ");
}

function sentence(place: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === "EADDRINUSE") {
    const next = "stop that program (ss -ltnp), or name another place: console: { listen: ... }";
    return `the page is not at ${place}, another program listens there: ${next}; trying again`;
  }
  if (code === "EADDRNOTAVAIL") {
    return `the page is not at ${place}, this machine does not have that address; trying again`;
  }
  return `the page is not at ${place} (${message}); trying again`;
}

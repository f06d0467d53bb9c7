/**
 * A way from this machine to the pages of nodes inside a world: a port here, the unix socket of a
 * console there. Whichever of them answers first is asked.
 */

import { connect, createServer, type Server, type Socket } from "node:net";

const WANTED_PORT = 7600;
const MOST_CONNECTIONS = 64;

export class PageDoor {
  /** Sockets of consoles, the preferred one first; changes as the story goes on. */
  sockets: readonly string[] = [];
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  /** The usual port, another one when somebody has it. */
  static async open(): Promise<PageDoor> {
    const door = new PageDoor();
    await door.#listen(WANTED_PORT).catch(() => door.#listen(0));
    return door;
  }

  private constructor() {
    this.#server = createServer((client) => this.#enter(client));
    this.#server.maxConnections = MOST_CONNECTIONS;
  }

  get url(): string {
    const address = this.#server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    return `http://127.0.0.1:${port}/`;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }

  #listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, "127.0.0.1", () => {
        this.#server.removeListener("error", reject);
        resolve();
      });
    });
  }

  #enter(client: Socket): void {
    this.#keep(client);
    const [first, ...others] = this.sockets;
    this.#try(client, first, others);
  }

  #try(client: Socket, path: string | undefined, others: readonly string[]): void {
    if (path === undefined) return void client.destroy();
    const node = connect(path);
    node.once("error", () => this.#try(client, others[0], others.slice(1)));
    node.once("connect", () => {
      node.removeAllListeners("error");
      this.#keep(node);
      client.on("close", () => node.destroy());
      node.on("close", () => client.destroy());
      client.pipe(node).pipe(client);
    });
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    // Its end is told by `close`; a browser that leaves is no trouble.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#open.delete(socket));
  }
}

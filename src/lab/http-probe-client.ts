/**
 * A program of its own: `http-probe-client.ts ADDRESS PORT INTERVAL_MS LIMIT_MS fresh|keep-alive`.
 * Starts a request each interval, whatever became of the earlier ones, as independent users do.
 */
import { probeHttp } from "./http-probe.ts";

const [address = "", port, interval, limit, mode] = process.argv.slice(2);

probeHttp({
  address,
  port: Number(port),
  path: "/",
  intervalMs: Number(interval),
  limitMs: Number(limit),
  isFresh: mode === "fresh",
});

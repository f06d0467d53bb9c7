/** The page and its files. */

import type { Asset, Assets } from "./assets.ts";
import { findAsset, loadAssets } from "./assets.ts";
import { problem, type Answer, type Call, type Reply, type Route } from "./routes.ts";

const FOR_GOOD = "public, max-age=31536000, immutable";
const ASK_AGAIN = "no-cache";

/** Whoever opens the page for the first time has trouble and no time: it is made before. */
const WARM_AFTER_MS = 10_000;

export function pageRoutes(): readonly Route[] {
  let loading: Promise<Assets> | undefined;
  const assets = (): Promise<Assets> => (loading ??= loadAssets());
  // What is wrong with it is told to whoever asks.
  setTimeout(() => void assets().catch(() => undefined), WARM_AFTER_MS).unref();
  return [
    {
      method: "GET",
      path: "/",
      access: "public",
      summary: "The page.",
      answers: "the page",
      type: "text/html",
      handle: async (call) => send(call, (await assets()).index, ASK_AGAIN),
    },
    {
      method: "GET",
      path: "/assets/{path*}",
      access: "public",
      summary: "A file of the page.",
      answers: "a script, a style or a picture",
      type: "text/javascript",
      handle: async (call) => {
        const path = call.params["path"] ?? "";
        const found = findAsset(await assets(), path);
        if (found === undefined) return problem(404, "not-found", `there is no file ${path}`);
        return send(call, found.asset, found.isCurrent ? FOR_GOOD : ASK_AGAIN);
      },
    },
  ];
}

function send({ request }: Call, asset: Asset, cache: string): Answer {
  const headers = { etag: asset.etag, "cache-control": cache, vary: "accept-encoding" };
  const known = request.headers["if-none-match"] ?? "";
  if (known.split(/\s*,\s*/u).includes(asset.etag)) return { status: 304, headers, body: "" };
  const accepts = /\bgzip\b/u.test(request.headers["accept-encoding"] ?? "");
  const sent: Reply = accepts
    ? {
        status: 200,
        headers: { ...headers, "content-type": asset.type, "content-encoding": "gzip" },
        body: asset.gzip,
      }
    : {
        status: 200,
        headers: { ...headers, "content-type": asset.type, "content-encoding": "identity" },
        body: asset.body,
      };
  return sent;
}

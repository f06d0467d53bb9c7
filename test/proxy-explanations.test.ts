/** What `nines explain-request` says of a request, and that it is what becomes of it. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ProxyRig } from "./kit/proxy-rig.ts";
import type { FrontendDraft, RouteDraft } from "./kit/proxy-settings.ts";

function withRoute(route: RouteDraft, frontend: FrontendDraft = {}): ProxyRig {
  return new ProxyRig({ frontend: { routes: [route], ...frontend } });
}

describe("an explained request", () => {
  const told = (rig: ProxyRig, path: string, door = "http"): readonly string[] => {
    const url = `${door}://a.example:80${path}`;
    const asked = { method: "GET", url, headers: [], source: "" };
    return rig.engine.explain(rig.now, asked).lines;
  };

  it("for a path of the balancer itself goes to no server", () => {
    assert.deepEqual(told(withRoute({}), "/readyz?x"), [
      "frontend www: client unknown",
      "answered here: it is the frontend's ready_path",
    ]);
  });

  it("has the port of its scheme where none stands behind the colon", () => {
    const lines = (url: string): readonly string[] => {
      const rig = withRoute({ when: { paths: [{ kind: "exact", value: "/x" }] } });
      const asked = { method: "GET", url, headers: [], source: "" };
      return rig.engine.explain(rig.now, asked).lines;
    };
    assert.deepEqual(lines("http://a.example:/x"), lines("http://a.example/x"));
  });

  it("with a body that is larger than the limit goes nowhere", () => {
    const rig = withRoute({}, { limits: { bodyBytes: 10 } });
    const headers = [["content-length", "11"]] as const;
    const asked = { method: "POST", url: "http://a.example/x", headers, source: "" };
    const { lines, server } = rig.engine.explain(rig.now, asked);
    assert.deepEqual([lines.at(-1), server], ["refused: the body is larger than the limit", ""]);
  });

  it("tells what else it may meet: https without TLS, a limit, an injected fault", () => {
    assert.match(told(withRoute({}), "/x", "https")[1] ?? "", /^it has no tls: /u);
    const rateLimit = { per: "source", perSecond: 5, burst: 10, size: 100 } as const;
    const fault = { abort: { percent: 50, status: 503 }, delay: { percent: 10, ms: 200 } };
    assert.deepEqual(told(withRoute({ rateLimit, fault }), "/x").slice(2, 5), [
      "rate limit: 10 at once, then 5 a second per source; else 429",
      "fault: 50 % are answered 503",
      "fault: 10 % wait 200 ms first",
    ]);
  });
});

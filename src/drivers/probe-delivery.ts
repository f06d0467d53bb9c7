/** Hands a report to a node's console over HTTP. Does not retry: whoever calls does, later. */

import { readFileSync } from "node:fs";
import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";

export interface DeliveryTarget {
  /** `https://node:7600`, with or without a path before `/api`. */
  readonly url: URL;
  /** Read for each delivery, so that a new token needs no restart. */
  readonly tokenFile?: string;
  /** PEM file of the authorities; default: the system's. */
  readonly ca?: string;
}

export type Delivered =
  | { readonly ok: true }
  /** `isFinal`: the same report will never be taken. */
  | { readonly ok: false; readonly reason: string; readonly isFinal: boolean };

const TIMEOUT_MS = 10_000;
const MOST_ANSWER = 4096;

export function deliver(target: DeliveryTarget, body: string): Promise<Delivered> {
  const { url, tokenFile, ca } = target;
  let options;
  try {
    const token = tokenFile === undefined ? undefined : readFileSync(tokenFile, "utf8").trim();
    options = {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "user-agent": "nines-probe",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      timeout: TIMEOUT_MS,
      ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
    };
  } catch (error) {
    return Promise.resolve({ ok: false, reason: (error as Error).message, isFinal: false });
  }
  const at = new URL(`${url.pathname.replace(/\/$/u, "")}/api/v1/probe-report`, url);
  return new Promise((resolve) => {
    const request = (at.protocol === "https:" ? requestTls : requestPlain)(at, options);
    const fail = (reason: string): void => {
      resolve({ ok: false, reason, isFinal: false });
      request.destroy();
    };
    request.on("timeout", () => fail(`no answer within ${TIMEOUT_MS / 1000} s`));
    request.on("error", (error) => fail(error.message));
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        if (text.length < MOST_ANSWER) text += part;
      });
      response.on("error", (error) => fail(error.message));
      response.on("end", () => {
        const { statusCode: status = 0 } = response;
        if (status >= 200 && status < 300) return resolve({ ok: true });
        // 422: understood and refused, for what it says.
        resolve({
          ok: false,
          reason: `status ${status}: ${detailOf(text)}`,
          isFinal: status === 422,
        });
      });
    });
    request.end(body);
  });
}

/** Of a problem (RFC 9457), else the text itself. */
function detailOf(text: string): string {
  try {
    const { detail } = JSON.parse(text) as { readonly detail?: unknown };
    if (typeof detail === "string") return detail;
  } catch {
    // No JSON: a proxy in between says something.
  }
  return text.slice(0, 100).replaceAll(/\s+/gu, " ");
}

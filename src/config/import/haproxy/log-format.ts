/** Values with `%[…]` as values with `${…}`. Source: configuration manual, sections 7.3 and 8.2.4. */

const FETCHES: Readonly<Record<string, string>> = {
  "capture.req.uri": "${uri}",
  "hdr(host)": "${host}",
  http_first_req: "",
  path: "${path}",
  pathq: "${uri}",
  query: "${query}",
  "req.hdr(host)": "${host}",
  "req.fhdr(host)": "${host}",
  src: "${source}",
  "ssl_fc,iif(https,http)": "${scheme}",
  "unique-id": "${request_id}",
  url: "${uri}",
};

const ALIASES: Readonly<Record<string, string>> = {
  ci: "${source}",
  HP: "${path}",
  HU: "${uri}",
  ID: "${request_id}",
};

/** Undefined: it asks for something that Nines does not know. */
export function templateOf(text: string): string | undefined {
  let isKnown = true;
  const result = text.replace(
    /%(?:%|\[([^\]]*)\]|([A-Za-z]{2})|)/gu,
    (whole, fetch?: string, alias?: string) => {
      if (whole === "%%") return "%";
      const found = fetch === undefined ? ALIASES[alias ?? ""] : fetchText(fetch);
      if (found === undefined) isKnown = false;
      return found ?? "";
    },
  );
  return isKnown ? result : undefined;
}

function fetchText(fetch: string): string | undefined {
  const constant = /^str\(([^()]*)\)$/u.exec(fetch)?.[1];
  const plain = fetch.replace(/\s+/gu, "").replace(/\(Host\)/u, "(host)");
  // That is what a host is there anyway: in lower case, without a port.
  const host = plain.replace(
    /(?<=^(?:req\.)?f?hdr\(host\))(?:,lower|,(?:field|word)\(1,:\))+$/u,
    "",
  );
  return constant ?? FETCHES[host];
}

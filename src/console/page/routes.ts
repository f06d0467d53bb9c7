/** Pages by hash: `#/pool/web`. Names may hold any character. */

export interface Route {
  readonly page: PageName;
  /** Of what the page is about; empty where there is just one. */
  readonly subject: string;
}

const PAGES = [
  "overview",
  "events",
  "incidents",
  "drills",
  "nodes",
  "address",
  "director",
  "pool",
  "server",
  "service",
  "incident",
  "drill",
] as const;

export type PageName = (typeof PAGES)[number];

/** Anything unknown is the first screen. */
export function routeOf(hash: string): Route {
  const [, page = "", ...rest] = hash.replace(/^#/u, "").split("/");
  const known = PAGES.find((name) => name === page);
  if (known === undefined) return { page: "overview", subject: "" };
  return { page: known, subject: rest.map(decode).join("/") };
}

export function hashOf(page: PageName, subject = ""): string {
  if (page === "overview") return "#/";
  if (subject === "") return `#/${page}`;
  return `#/${page}/${subject.split("/").map(encodeURIComponent).join("/")}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * One path for all its spellings (RFC 3986 6.2.2): percent codes of unreserved characters decoded,
 * the others in upper case, dot segments removed. A rule for `/admin` must not be passed by
 * `/x/../%61dmin`.
 */
export function normalPath(path: string): string {
  if (!/[%.]|\/\//.test(path)) return path;
  const plain = path.replace(/%[0-9a-f]{2}/gi, (code) => {
    const char = String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return /[A-Za-z0-9\-._~]/.test(char) ? char : code.toUpperCase();
  });
  if (!plain.startsWith("/")) return plain;
  const kept: string[] = [];
  const segments = plain.slice(1).split("/");
  for (const [i, segment] of segments.entries()) {
    const isLast = i === segments.length - 1;
    if (segment === "..") kept.pop();
    else if (segment !== "." && (segment !== "" || isLast)) kept.push(segment);
    if (isLast && (segment === "." || segment === "..")) kept.push("");
  }
  return `/${kept.join("/")}`;
}

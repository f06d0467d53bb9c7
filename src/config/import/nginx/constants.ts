/** `set $backend app:3000;` and `proxy_pass http://$backend;`: a variable that is always the same text. */

import type { FrontendNotes } from "./context.ts";
import { withValue } from "./maps.ts";
import type { Directive } from "./parse.ts";
import type { Scope } from "./scope.ts";

/** Texts of variables may have variables; more of them than that nobody writes. */
const MOST_VARIABLES = 16;

/** The line with what its variables always are; `scopes`: where they may be set, the innermost first. */
export function withConstants(line: Directive, scopes: readonly Scope[]): Directive {
  let known = line;
  const seen = new Set<string>();
  while (seen.size < MOST_VARIABLES) {
    const names = [...(known.args[0] ?? "").matchAll(/\$\{?([a-z_]\w*)/giu)].map(
      ([, name]) => name!,
    );
    const name = names.find((one) => !seen.has(one));
    if (name === undefined) return known;
    seen.add(name);
    const found = constantOf(`$${name}`, scopes);
    if (found === undefined) continue;
    known = withValue(known, `$${name}`, found);
  }
  return known;
}

/** Undefined: nobody sets it, or not always to the same. */
function constantOf(variable: string, scopes: readonly Scope[]): string | undefined {
  const isSet = ({ name, args }: Directive): boolean => name === "set" && args[0] === variable;
  const isChanged = scopes.some(({ own }) =>
    own.some(({ name, block = [] }) => name === "if" && block.some(isSet)),
  );
  const scope = scopes.find(({ own }) => own.some(isSet));
  const [line, ...others] = scope?.own.filter(isSet) ?? [];
  if (isChanged || scope === undefined || line === undefined || others.length > 0) return undefined;
  scope.use(line);
  return line.args[1] ?? "";
}

export interface ServerWords {
  readonly notes: Pick<FrontendNotes, "ports" | "tls">;
  readonly server: Scope;
}

/** Variables that are the same for all requests of a server, by their names. */
export function serverConstants({ notes, server }: ServerWords): Record<string, string> {
  const [port, ...others] = notes.ports;
  const name = server.here("server_name")[0]?.args[0] ?? "";
  return {
    https: notes.tls ? "on" : "",
    ...(port === undefined || others.length > 0 ? {} : { server_port: `${port}` }),
    ...(/^[\w.-]*$/u.test(name) ? { server_name: name.replace(/^\./u, "") } : {}),
  };
}

/** The line with what these are. */
export function withServerConstants(line: Directive, words: ServerWords): Directive {
  return Object.entries(serverConstants(words)).reduce(
    (known, [name, text]) => withValue(known, `$${name}`, text),
    line,
  );
}

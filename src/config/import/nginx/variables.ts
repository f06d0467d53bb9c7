/** Texts with `$name` as texts with `${name}`. Source: nginx, alphabetical index of variables. */

export interface Constants {
  readonly [name: string]: string | undefined;
}

const VARIABLES: Readonly<Record<string, string>> = {
  args: "${query}",
  document_uri: "${path}",
  host: "${host}",
  // Not a name of nginx: see below.
  is_args_args: "${search}",
  http_host: "${host}",
  query_string: "${query}",
  remote_addr: "${source}",
  request_id: "${request_id}",
  request_uri: "${uri}",
  scheme: "${scheme}",
  uri: "${path}",
};

/** Undefined: it asks for something that Nines does not know. `$1` and the like do, too. */
export function templateOf(text: string, constants: Constants = {}): string | undefined {
  let isKnown = true;
  const plain = text
    .replace(/\$(?:uri|document_uri)\$is_args\$(?:args|query_string)/gu, "$$request_uri")
    .replace(/\$is_args\$(?:args|query_string)/gu, "$$is_args_args");
  const result = plain.replace(/\$(?:\{(\w+)\}|(\w+))/gu, (_, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? "";
    const found = constants[name] ?? (Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined);
    if (found === undefined) isKnown = false;
    return found ?? "";
  });
  return isKnown ? result : undefined;
}

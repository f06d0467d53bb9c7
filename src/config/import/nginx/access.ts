/** Who is let in: `allow`, `deny`, `satisfy` and logins. Source: nginx, ngx_http_access_module. */

import type { NginxContext } from "./context.ts";
import type { Directive } from "./parse.ts";
import type { Scope } from "./scope.ts";

export interface Access {
  readonly verdict: "allow" | "deny" | "login";
  /** Undefined: everybody. */
  readonly source: string | undefined;
}

export function accessOf(scope: Scope, { draft }: NginxContext): Access[] {
  const lines = scope.allOf(["allow", "deny"]);
  const isAny = scope.value("satisfy") === "any";
  const login = loginOf(scope);
  // Who is let in must log in as well, unless one of both is enough.
  if (login !== undefined && !isAny) return [];
  return lines.flatMap(({ name, args, at }) => {
    const source = args[0] === "all" ? undefined : args[0];
    if (source === "unix:") {
      draft.lost(at, "clients of Unix sockets have no address");
      return [];
    }
    return [{ verdict: name as "allow" | "deny", source }];
  });
}

const LOGINS: readonly string[] = [
  "access_by_lua_block",
  "access_by_lua_file",
  "auth_basic",
  "auth_jwt",
  "auth_request",
  "js_access",
];

/** One that is asked for. */
export function isLogin({ name, args }: Directive): boolean {
  return LOGINS.includes(name) && args[0] !== "off";
}

function loginOf(scope: Scope): Directive | undefined {
  const [line] = LOGINS.flatMap((name) => scope.last(name) ?? []).filter(isLogin);
  return line;
}

export function hasLogin(scope: Scope, location: Directive, { draft }: NginxContext): boolean {
  const login = loginOf(scope);
  if (login === undefined) return false;
  draft.lost(login.at, `Nines asks for no passwords: requests for ${location.at.text} get 403`);
  return true;
}

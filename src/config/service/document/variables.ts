/**
 * `${NAME}` and `${NAME:-default}` become what the environment says. Names are upper case, so that
 * `${host}` in a redirect stays what it is: a variable of the request. `$${NAME}` is that text.
 */

import type { Findings } from "../../diagnostic.ts";
import type { ScalarNode, TreeNode } from "./tree.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const VARIABLE = /\$(\$?)\{([A-Z_][A-Z0-9_]*)(:-([^}]*))?\}/gu;

export function replaceVariables(
  node: TreeNode,
  environment: Environment,
  findings: Findings,
): TreeNode {
  if (node.kind === "list") {
    return {
      ...node,
      items: node.items.map((item) => replaceVariables(item, environment, findings)),
    };
  }
  if (node.kind === "map") {
    const entries = [...node.entries].map(([key, value]): [string, TreeNode] => [
      key,
      replaceVariables(value, environment, findings),
    ]);
    return { ...node, entries: new Map(entries) };
  }
  return typeof node.value === "string" ? replaceIn(node, environment, findings) : node;
}

function replaceIn(node: ScalarNode, environment: Environment, findings: Findings): ScalarNode {
  const before = node.value as string;
  const text = before.replace(VARIABLE, (...[whole, escaped, name, , other]: string[]) => {
    if (escaped !== "") return whole!.slice(1);
    const value = environment[name!];
    if (value !== undefined && value !== "") return value;
    if (other !== undefined) return other;
    if (value === "") return value;
    const reason = `the environment has no ${name}`;
    findings.error(node.at, reason, `set it, or write a default: \${${name}:-value}`);
    return "";
  });
  if (text === before) return node;
  return { ...node, text, value: node.plain ? typed(text) : text };
}

/** A plain scalar means a number or a truth value when it looks like one (YAML 1.2 core schema). */
function typed(text: string): ScalarNode["value"] {
  if (text === "true" || text === "false") return text === "true";
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/u.test(text) ? Number(text) : text;
}

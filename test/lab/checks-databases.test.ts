/** Checks of databases against the real ones: login, role, lag, and what they say when it is wrong. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { CheckTarget, DatabaseSettings } from "../../src/core/check/check-settings.ts";
import { askMariadb, startMariadb } from "../../src/lab/peers/mariadb.ts";
import { askPostgresql, startPostgresql, startStandby } from "../../src/lab/peers/postgresql.ts";
import { startRedis } from "../../src/lab/peers/small-servers.ts";
import type { LabProcess } from "../../src/lab/process.ts";
import { waitFor } from "../../src/lab/wait.ts";
import { World } from "../../src/lab/world.ts";
import { Listener, startCheckRole, targetOf } from "./check-kit.ts";

const PRIMARY = "10.76.0.2";
const REPLICA = "10.76.0.3";
const PLAN = {
  name: "databases",
  segments: ["lan"],
  hosts: {
    checker: { eth0: { segment: "lan", address: "10.76.0.1/24" } },
    primary: { eth0: { segment: "lan", address: `${PRIMARY}/24` } },
    replica: { eth0: { segment: "lan", address: `${REPLICA}/24` } },
  },
};
const PASSWORD = "swordfish";
const LOGIN = { user: "watch", password: PASSWORD };
const ANY = { role: "any", maxLagMs: 0 } as const;
const TIMING = { timeoutMs: 1000 };

let world: World;
let listener: Listener;
let checker: LabProcess;
const daemons = new Map<string, LabProcess>();
let asked: CheckTarget[] = [];

function database(
  name: string,
  where: string,
  kind: DatabaseSettings["kind"],
  settings: Partial<DatabaseSettings>,
): CheckTarget {
  const port = kind === "mysql" ? 3306 : 5432;
  return targetOf(name, { ...ANY, ...settings, kind }, `${where}:${port}`, { timing: TIMING });
}

function ask(...targets: CheckTarget[]): void {
  asked = [...asked.filter((one) => targets.every((t) => t.subject !== one.subject)), ...targets];
  listener.ask(asked);
}

const GRANTS = [
  `CREATE USER watch IDENTIFIED BY '${PASSWORD}'`,
  "GRANT REPLICA MONITOR, REPLICATION SLAVE ON *.* TO watch",
];
const FOLLOW = `CHANGE MASTER TO master_host='${PRIMARY}', master_user='watch', master_password='${PASSWORD}', master_connect_retry=1`;

before(async () => {
  world = await World.create(PLAN);
  const primary = world.host("primary");
  const replica = world.host("replica");
  const mariadb = async (): Promise<void> => {
    const second = startMariadb(replica, { serverId: 2, init: [FOLLOW, "SET GLOBAL read_only=1"] });
    daemons.set("mysql", await startMariadb(primary, { serverId: 1, init: GRANTS }));
    await second;
    await askMariadb(replica, "START SLAVE");
    // Until then it knows nobody, and says that instead of what the test asks.
    const knows = async (): Promise<boolean> =>
      (await askMariadb(replica, "SELECT user FROM mysql.user")).includes("watch");
    await waitFor(knows, 10_000, "the replica to know the users");
  };
  const postgresql = async (): Promise<void> => {
    const access = [
      "host replication watch 10.76.0.0/24 trust",
      "host all old 10.76.0.0/24 md5",
      "host all plain 10.76.0.0/24 password",
      "host all trusted 10.76.0.0/24 trust",
      "host all all 10.76.0.0/24 scram-sha-256",
    ];
    const init = [
      `create role watch login replication password '${PASSWORD}'`,
      `create role plain login password '${PASSWORD}'`,
      "create role trusted login",
      `set password_encryption = 'md5'; create role old login password '${PASSWORD}'`,
      "create table t (i int)",
    ];
    daemons.set("postgresql", await startPostgresql(primary, { access, init }));
    await startStandby(replica, PRIMARY, "watch");
  };
  const redis = async (): Promise<void> => {
    daemons.set("redis", await startRedis(primary, { password: PASSWORD }));
    await startRedis(replica, { password: PASSWORD, replicaOf: `${PRIMARY} 6379` });
  };
  const [role] = await Promise.all([
    startCheckRole(world.host("checker")),
    mariadb(),
    postgresql(),
    redis(),
  ]);
  checker = role;
  listener = new Listener(world.host("checker"), "control");
});

after(() => {
  listener.close();
  world.destroy();
});

function check(name: string, body: () => Promise<void>): void {
  test(name, async () => {
    try {
      await body();
    } catch (error) {
      if (error instanceof Error) error.message += `\n${checker.log}\n${world.report()}`;
      throw error;
    }
  });
}

async function good(subject: string): Promise<string> {
  return cut((await listener.untilUp(subject)).reason);
}

async function wrong(subject: string): Promise<string> {
  return cut((await listener.untilDown(subject)).reason);
}

function cut(reason: string): string {
  return reason.replace(/^check \w+: /, "").replace(/, \d of \d$/, "");
}

check("MariaDB: strangers, users, roles", async () => {
  ask(
    database("m-stranger", PRIMARY, "mysql", {}),
    database("m-login", PRIMARY, "mysql", LOGIN),
    database("m-password", PRIMARY, "mysql", { ...LOGIN, password: "no" }),
    database("m-database", PRIMARY, "mysql", { ...LOGIN, database: "none" }),
    database("m-primary", PRIMARY, "mysql", { ...LOGIN, role: "primary" }),
    database("m-not-replica", PRIMARY, "mysql", { ...LOGIN, role: "replica" }),
    database("m-replica", REPLICA, "mysql", { ...LOGIN, role: "replica", maxLagMs: 2000 }),
    database("m-not-primary", REPLICA, "mysql", { ...LOGIN, role: "primary" }),
  );
  assert.match(await good("m-stranger"), /^MariaDB 10\.\d+\.\S+, refused a stranger$/);
  assert.match(await good("m-login"), /^MariaDB 10\./);
  assert.match(await wrong("m-password"), /^error 1045: Access denied for user 'watch'/);
  assert.match(await wrong("m-database"), /^error 10(44|49): /);
  assert.match(await good("m-primary"), /^MariaDB \S+ takes writes$/);
  assert.equal(await wrong("m-not-replica"), "it takes writes, wanted a replica");
  assert.match(await good("m-replica"), / is read-only, 0 s behind$/);
  assert.equal(await wrong("m-not-primary"), "it is read-only, wanted a primary");
});

check("MariaDB: a replica that is late, and one that stands still", async () => {
  const replica = world.host("replica");
  const late = "STOP SLAVE; CHANGE MASTER TO master_delay=60; START SLAVE";
  await askMariadb(replica, late);
  await askMariadb(world.host("primary"), "CREATE DATABASE late");
  assert.match(await wrong("m-replica"), /^\d+ s behind its primary, at most 2 s are allowed$/);
  await askMariadb(replica, "STOP SLAVE; CHANGE MASTER TO master_delay=0; START SLAVE");
  await good("m-replica");
  await askMariadb(replica, "STOP SLAVE SQL_THREAD");
  assert.equal(await wrong("m-replica"), "replication stands still (IO Yes, SQL No)");
  await askMariadb(replica, "START SLAVE SQL_THREAD");
  await good("m-replica");
});

check("PostgreSQL: strangers, users, roles", async () => {
  const maxLagMs = 500;
  ask(
    database("p-stranger", PRIMARY, "postgresql", {}),
    database("p-asked", PRIMARY, "postgresql", { user: "watch" }),
    // HAProxy's pgsql-check: there is a user, and no database of that name.
    database("p-trusted", PRIMARY, "postgresql", { user: "trusted" }),
    database("p-scram", PRIMARY, "postgresql", { ...LOGIN, database: "postgres" }),
    database("p-md5", PRIMARY, "postgresql", { ...LOGIN, user: "old", database: "postgres" }),
    database("p-plain", PRIMARY, "postgresql", { ...LOGIN, user: "plain", database: "postgres" }),
    database("p-password", PRIMARY, "postgresql", { ...LOGIN, password: "no" }),
    database("p-database", PRIMARY, "postgresql", { ...LOGIN, database: "none" }),
    database("p-primary", PRIMARY, "postgresql", {
      ...LOGIN,
      database: "postgres",
      role: "primary",
    }),
    database("p-not-replica", PRIMARY, "postgresql", {
      ...LOGIN,
      database: "postgres",
      role: "replica",
    }),
    database("p-replica", REPLICA, "postgresql", {
      ...LOGIN,
      database: "postgres",
      role: "replica",
      maxLagMs,
    }),
    database("p-not-primary", REPLICA, "postgresql", {
      ...LOGIN,
      database: "postgres",
      role: "primary",
    }),
  );
  assert.equal(await good("p-stranger"), "it asks who we are");
  assert.equal(await good("p-asked"), "it asks who we are");
  assert.equal(await good("p-trusted"), "it lets us in");
  assert.equal(await good("p-scram"), "logged in");
  assert.equal(await good("p-md5"), "logged in");
  assert.match(await wrong("p-plain"), /wants the password in clear text/);
  assert.match(await wrong("p-password"), /^FATAL 28P01: password authentication failed/);
  assert.match(await wrong("p-database"), /^FATAL 3D000: database "none" does not exist/);
  assert.doesNotMatch(
    daemons.get("postgresql")!.log,
    /got message type/,
    "strangers say no nonsense",
  );
  assert.equal(await good("p-primary"), "a primary");
  assert.equal(await wrong("p-not-replica"), "it is a primary, wanted a replica");
  assert.match(await good("p-replica"), /^a replica, 0 s behind$/);
  assert.equal(await wrong("p-not-primary"), "it is in recovery, wanted a primary");
});

check(
  "PostgreSQL: a primary that is read-only for all, and one whose watcher alone is",
  async () => {
    const primary = world.host("primary");
    const say = async (...statements: string[]): Promise<void> => {
      for (const one of statements) await askPostgresql(primary, one);
    };
    const reload = "select pg_reload_conf()";
    await say("alter system set default_transaction_read_only = on", reload);
    assert.match(await wrong("p-primary"), /^it is read-only by default_transaction_read_only/);
    const own = "alter role watch set default_transaction_read_only = on";
    await say(`begin read write; ${own}; commit`);
    await say("alter system reset default_transaction_read_only", reload);
    assert.equal(await good("p-primary"), "a primary");
  },
);

check("PostgreSQL: a replica that is late, and one that is promoted", async () => {
  const replica = world.host("replica");
  // Before its first transaction a replica cannot tell how old what it has is.
  await askPostgresql(world.host("primary"), "insert into t values (0)");
  const count = (): Promise<string> => askPostgresql(replica, "select count(*) from t");
  await waitFor(async () => (await count()).trim() === "1", 5000, "the first row");
  await askPostgresql(replica, "select pg_wal_replay_pause()");
  await askPostgresql(world.host("primary"), "insert into t values (1)");
  assert.match(
    await wrong("p-replica"),
    /^[\d.]+ s behind its primary, at most 0.5 s are allowed$/,
  );
  await askPostgresql(replica, "select pg_wal_replay_resume()");
  await good("p-replica");
  await askPostgresql(replica, "select pg_promote()");
  assert.equal(await wrong("p-replica"), "it is a primary, wanted a replica");
  assert.equal(await good("p-not-primary"), "a primary");
});

check("Redis: a replica that hears nothing of its primary", async () => {
  const settings = { kind: "redis", password: PASSWORD, role: "replica", maxLagMs: 2000 } as const;
  ask(targetOf("r-replica", settings, `${REPLICA}:6379`));
  assert.match(await good("r-replica"), /^a replica, heard its primary [01] s ago$/);
  daemons.get("redis")!.stop();
  assert.match(await wrong("r-replica"), /^heard its primary \d s ago, at most 2 s are allowed$/);
  daemons.get("redis")!.kill();
  await listener.until("r-replica", ({ up }) => !up);
});

check("databases that hang run into the time-out, and are refused when they are gone", async () => {
  const [mysql, postgresql] = [daemons.get("mysql")!, daemons.get("postgresql")!];
  for (const one of [mysql, postgresql]) one.stop();
  for (const subject of ["m-login", "p-scram"]) {
    assert.equal(await wrong(subject), "no answer within 1000 ms");
  }
  for (const one of [mysql, postgresql]) one.resume();
  for (const subject of ["m-login", "p-scram"]) await good(subject);
  for (const one of [mysql, postgresql]) one.kill();
  for (const subject of ["m-login", "p-scram"]) {
    assert.match(await wrong(subject), /^ECONNREFUSED|^ECONNRESET|ended the connection/);
  }
});

// The one alarm of an object, set for whatever is due first. Alarms are hints: everything due is judged by time.

import { failpoint } from "../failpoints.ts";

/** Alarms never run more often than this, whatever is due. */
const SHORTEST_WAIT_SECONDS = 1;

/** Sets the alarm for the earliest of `due` (epoch seconds), unless one is set for no later than that. */
export async function scheduleAlarm(
  storage: DurableObjectStorage,
  now: number,
  due: readonly (number | undefined)[],
): Promise<void> {
  const earliest = Math.min(...due.filter((time) => time !== undefined));
  if (!Number.isFinite(earliest)) return;
  const at = Math.max(earliest, now + SHORTEST_WAIT_SECONDS) * 1000;
  if (FAILPOINTS) await failpoint("alarm.setting", storage.sql);
  const set = await storage.getAlarm();
  // An alarm in the past was lost.
  if (set === null || set > at || set < now * 1000) await storage.setAlarm(at);
}

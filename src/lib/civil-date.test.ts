import { test } from "node:test";
import assert from "node:assert/strict";
import { civilDate, daysSinceEpoch } from "./civil-date.ts";

const LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function lengthOf(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return LENGTHS[month - 1]! + (isLeap && month === 2 ? 1 : 0);
}

test("five centuries, a day after the other, and back: before 1970 and over every kind of leap year", () => {
  assert.deepEqual(civilDate(0), { year: 1970, month: 1, day: 1 });
  let days = daysSinceEpoch({ year: 1600, month: 1, day: 1 });
  for (let year = 1600; year < 2101; year++) {
    for (let month = 1; month <= 12; month++) {
      for (let day = 1; day <= lengthOf(year, month); day++, days++) {
        const date = civilDate(days);
        const isRight = date.year === year && date.month === month && date.day === day;
        assert.ok(isRight, `${year}-${month}-${day} is ${JSON.stringify(date)}`);
        assert.equal(daysSinceEpoch(date), days);
      }
    }
  }
});

// Keys that the template library, or a conversion to text, would take for its own. A document may contain any key; none
// of these is a property of Flow JSON.

const RESERVED = /^_\$|^(?:toString|valueOf)$/;

// Takes them out of a value that was read from JSON, in place, and returns it.
export function scrub(value) {
  const ahead = [value];
  while (ahead.length > 0) {
    const one = ahead.pop();
    if (one === null || typeof one !== "object") {
      continue;
    }
    for (const key of Object.keys(one)) {
      if (RESERVED.test(key)) {
        delete one[key];
      } else {
        ahead.push(one[key]);
      }
    }
  }
  return value;
}

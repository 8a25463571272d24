// Times the functions of Meta's Node example: node _meta_example.mjs DIR < request.json
// Prints the median microseconds of each contender as JSON. What the example prints goes nowhere.
import crypto from "node:crypto";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

for (const name of ["log", "info", "warn", "error"]) console[name] = () => {};
const folder = pathToFileURL(process.argv[2] + "/");
const { decryptRequest, encryptResponse } = await import(new URL("src/encryption.js", folder));
const { getNextScreen } = await import(new URL("src/flow.js", folder));
const { body, signature, secret, pem, rounds } = JSON.parse(readFileSync(0, "utf8"));

const key = crypto.createPrivateKey({ key: pem });
const padding = crypto.constants.RSA_PKCS1_OAEP_PADDING;
const wrapped = Buffer.from(JSON.parse(body).encrypted_aes_key, "base64");
const bare = async () => crypto.privateDecrypt({ key, padding, oaepHash: "sha256" }, wrapped);

const example = async () => {
  const given = Buffer.from(signature.replace("sha256=", ""));
  const made = Buffer.from(crypto.createHmac("sha256", secret).update(body).digest("hex"));
  if (!crypto.timingSafeEqual(given, made)) throw new Error("signature");
  const { decryptedBody, aesKeyBuffer, initialVectorBuffer } = decryptRequest(JSON.parse(body), pem, "");
  const answer = await getNextScreen({ ...decryptedBody, screen: "MY_SCREEN" });
  return encryptResponse(answer, aesKeyBuffer, initialVectorBuffer);
};

const median = async (call) => {
  const times = [];
  for (let round = 0; round < rounds + 50; round++) {
    const began = process.hrtime.bigint();
    await call();
    if (round >= 50) times.push(Number(process.hrtime.bigint() - began) / 1000);
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)];
};

const found = { "bare RSA decryption": await median(bare), "Meta's Node example": await median(example) };
process.stdout.write(JSON.stringify(found));

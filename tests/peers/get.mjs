// Gets pages through a proxy as Node.js does by itself: node get.mjs PROXY URL...
//
// What is http is asked of the proxy, and what is https is asked through a tunnel. For each URL
// there is a line: the status and the first line of the body, or why there is none. The
// authorities that are believed are those of NODE_EXTRA_CA_CERTS.

import http from "node:http";
import https from "node:https";

const [, , proxy, ...urls] = process.argv;
const { hostname: host, port, username, password } = new URL(proxy);
const pair = Buffer.from(`${username}:${password}`).toString("base64");
const login = username ? { "Proxy-Authorization": `Basic ${pair}` } : {};
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function response(request) {
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", async (response) => {
      const chunks = await response.setEncoding("utf8").toArray();
      resolve(`${response.statusCode} ${chunks.join("").split("\n")[0]}`);
    });
    request.end();
  });
}

function plain(url) {
  const headers = { Host: new URL(url).host, ...login };
  return response(http.request({ host, port, agent, path: url, headers }));
}

function tunnel(authority) {
  return new Promise((resolve, reject) => {
    const headers = { Host: authority, ...login };
    const request = http.request({ host, port, method: "CONNECT", path: authority, headers });
    request.on("error", reject);
    request.on("connect", ({ statusCode, statusMessage }, socket) => {
      if (statusCode === 200) {
        resolve(socket);
      } else {
        socket.destroy();
        reject(new Error(`CONNECT ${statusCode} ${statusMessage}`));
      }
    });
    request.end();
  });
}

async function secure(url) {
  const { hostname: servername, port: to } = new URL(url);
  const socket = await tunnel(`${servername}:${to || 443}`);
  return response(https.request(url, { socket, servername, agent: false }));
}

for (const url of urls) {
  const line = await (url.startsWith("https:") ? secure(url) : plain(url)).catch(String);
  console.log(line);
}
agent.destroy();

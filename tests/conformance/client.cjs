// Microsoft's client on one hub of the simulated gateway. Prints a line of JSON for everything that happens.
// Arguments: URL of the hub, token, "negotiated" or "direct", then Method=argument pairs to subscribe with.
const { HubConnectionBuilder, HttpTransportType, LogLevel } = require("@microsoft/signalr");

const [url, token, way, ...subscriptions] = process.argv.slice(2);
const targets = [
  "GatewayUserAccount", "GatewayUserOrder", "GatewayUserPosition", "GatewayUserTrade",
  "GatewayQuote", "GatewayTrade", "GatewayDepth", "GatewayLogout",
];
const say = (happened, what) => console.log(JSON.stringify({ happened, what }));

const options = { accessTokenFactory: () => token };
if (way === "direct") {
  Object.assign(options, { skipNegotiation: true, transport: HttpTransportType.WebSockets });
}
const connection = new HubConnectionBuilder()
  .withUrl(url, options)
  .withAutomaticReconnect([0, 100, 100, 100])
  .configureLogging(LogLevel.None)
  .build();

async function subscribe() {
  for (const subscription of subscriptions) {
    const [method, argument] = subscription.split("=");
    const values = argument === undefined ? [] : [/^\d+$/.test(argument) ? Number(argument) : argument];
    await connection.invoke(method, ...values).catch((error) => say("refused", error.message));
  }
  say("subscribed", connection.connectionId);
}

for (const target of targets) {
  connection.on(target, (...values) => say(target, values));
}
connection.onreconnecting((error) => say("reconnecting", error ? error.message : null));
connection.onreconnected(subscribe);
connection.onclose((error) => say("closed", error ? error.message : null));
process.stdin.on("end", () => connection.stop().then(() => process.exit(0))).resume();
connection.start().then(subscribe, (error) => { say("failed", error.message); process.exit(1); });

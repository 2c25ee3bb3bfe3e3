// The `ws` package, as its documentation broadcasts. Usage: NODE_PATH=… node node_ws.cjs PORT
const http = require("http");
const { WebSocketServer } = require("ws");

const server = http.createServer();
const sockets = new WebSocketServer({ server });
const subscribers = new Set();

sockets.on("connection", (socket, request) => {
  socket.on("error", () => {});
  if (request.url === "/pub") {
    socket.on("message", (message) => {
      for (const subscriber of subscribers) subscriber.send(message, { binary: false });
    });
    return;
  }
  subscribers.add(socket);
  socket.on("close", () => subscribers.delete(socket));
});
server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });

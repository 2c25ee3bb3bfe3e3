// socket.io with its rooms, over WebSocket alone. Usage: NODE_PATH=… node node_socketio.cjs PORT
const http = require("http");
const { Server } = require("socket.io");

const server = http.createServer();
const io = new Server(server, { transports: ["websocket"] });

io.on("connection", (socket) => {
  if (socket.handshake.query.publisher) {
    socket.on("publish", (event) => io.to("room").emit("event", event));
  } else {
    socket.join("room");
  }
});
server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });

mod histories;
mod rooms;

// Cells and moves of a rectangular grid, shared by the grid worlds.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace llmkit::rl {

struct Move {
  int row, column;
};

struct Grid {
  int rows, columns;

  int32_t states() const { return rows * columns; }
  int32_t state(int row, int column) const { return row * columns + column; }
  bool inside(int row, int column) const { return row >= 0 && row < rows && column >= 0 && column < columns; }
  // One step; a wall leaves the walker where it is (each coordinate by itself).
  int32_t step(int32_t from, Move move) const {
    return state(std::clamp(from / columns + move.row, 0, rows - 1),
                 std::clamp(from % columns + move.column, 0, columns - 1));
  }
};

// Directions in turning order, so that the neighbours of i are its two perpendiculars.
constexpr std::array<Move, 4> kLeftDownRightUp{{{0, -1}, {1, 0}, {0, 1}, {-1, 0}}};
constexpr std::array<Move, 4> kUpRightDownLeft{{{-1, 0}, {0, 1}, {1, 0}, {0, -1}}};

}  // namespace llmkit::rl

// The windy gridworld of Sutton and Barto, example 6.5: 7x10 cells; the wind of the column that is left pushes upwards.
#include "rl/environment.h"
#include "rl/grid.h"

namespace llmkit::rl {
namespace {

constexpr int kWind[] = {0, 0, 0, 1, 1, 1, 2, 2, 1, 0};
constexpr Move kMoves[] = {{-1, 0}, {0, 1}, {1, 0}, {0, -1}, {-1, 1}, {1, 1}, {1, -1}, {-1, -1}, {0, 0}};

std::unique_ptr<Environment> make(const Values& values) {
  auto moves = values.integer("moves");
  if (moves != 4 && moves != 8 && moves != 9)
    throw UsageError({"bad number of moves", "windy-grid: moves", "4, 8 or 9", std::to_string(moves), {}});
  Grid grid{7, 10};
  const int32_t start = grid.state(3, 0), goal = grid.state(3, 7);
  auto world = std::make_unique<Environment>();
  world->title = "Windy gridworld, " + std::to_string(moves) + " moves";
  world->actions = {"↑", "→", "↓", "←", "↗", "↘", "↙", "↖", "o"};
  world->columns = grid.columns;
  for (int32_t s = 0; s < grid.states(); ++s) {
    world->cells.push_back(s == start ? "S" : s == goal ? "G" : ".");
    world->start.push_back(s == start);
    std::vector<std::vector<Outcome>> actions;
    for (int64_t a = 0; a < moves && s != goal; ++a) {
      int32_t next = grid.step(s, {kMoves[a].row - kWind[s % grid.columns], kMoves[a].column});
      actions.push_back({{1, next, -1, next == goal}});
    }
    world->mdp.add_state(std::move(actions));
  }
  return world;
}

}  // namespace

Entry<Environment> windy_grid_environment() {
  return {{"windy-grid",
           "a shortest way through a cross wind",
           "Sutton and Barto 2018, example 6.5",
           {{"moves", ParamType::integer, "4", "4, 8 (king's moves) or 9 (and staying)", 4, 9}}},
          make};
}

}  // namespace llmkit::rl

"""Writes stories.jsonl: short stories of a small invented village, from a grammar of our own.

A model of a few hundred thousand parameters learns them in seconds, which makes them the smoke test of `pretrain`.
Every story follows from its number, so the file can be made again byte for byte: python3 make_stories.py > stories.jsonl
"""
import json
import random

PEOPLE = [("Mira", "she", "her"), ("Tom", "he", "his"), ("Anna", "she", "her"), ("Ben", "he", "his"),
          ("Lina", "she", "her"), ("Oskar", "he", "his"), ("Ruth", "she", "her"), ("Paul", "he", "his")]
ANIMALS = ["dog", "cat", "goat", "hen", "horse", "duck", "hedgehog", "crow"]
PLACES = ["the market", "the river", "the old mill", "the forest", "the school", "the bridge", "the orchard", "the hill"]
THINGS = ["basket", "lamp", "kite", "blue ball", "bell", "wooden boat", "key", "red scarf"]
FOODS = ["apples", "bread", "plums", "cheese", "carrots", "pancakes", "nuts", "soup"]
WEATHER = ["It was a sunny morning.", "It rained all day.", "The wind was strong.", "Snow lay on the roofs.",
           "It was a warm evening.", "Fog covered the village."]
ENDINGS = ["Everyone was glad.", "That night they slept well.", "They laughed for a long time.",
           "From then on they were friends.", "And so the day ended well."]


def story(number):
    rng = random.Random(number)
    name, who, whose = rng.choice(PEOPLE)
    friend = rng.choice([p for p in PEOPLE if p[0] != name])[0]
    animal, place, thing, food = rng.choice(ANIMALS), rng.choice(PLACES), rng.choice(THINGS), rng.choice(FOODS)
    he = who.capitalize()
    middle = rng.choice([
        f"{name} lost {whose} {thing} near {place}. {he} looked for it everywhere. A {animal} had found the {thing} "
        f"and brought it back. {name} gave the {animal} some {food}.",
        f"{name} went to {place} to buy {food}. On the way {who} met {friend}. \"Where are you going?\" asked {friend}. "
        f"\"To {place},\" said {name}. So they went together and shared the {food}.",
        f"A {animal} sat at {place} and could not get home. {name} heard it and called {friend}. Together they carried "
        f"the {animal} home in a {thing if thing in ('basket', 'wooden boat') else 'basket'}.",
        f"{name} had {{a}} {food} and {friend} had {{b}}. They counted them together. \"{{a}} and {{b}} make {{c}},\" "
        f"said {name}. They gave one to the {animal}." if food in ("apples", "plums", "carrots", "pancakes", "nuts") else
        f"{name} taught the {animal} to ring a bell. Each time it rang, {friend} came running with {food}.",
        f"{friend} asked {name}: \"Have you seen my {thing}?\" \"Yes,\" said {name}, \"the {animal} took it to {place}.\" "
        f"They walked to {place}, and there it was.",
    ])
    a, b = rng.randint(2, 5), rng.randint(2, 5)
    numbers = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    middle = middle.format(a=numbers[a], b=numbers[b], c=numbers[a + b])
    middle = middle.replace("\"" + numbers[a] + " and", "\"" + numbers[a].capitalize() + " and")
    return f"{rng.choice(WEATHER)} {middle} {rng.choice(ENDINGS)}"


for number in range(1200):
    print(json.dumps({"id": f"story-{number:04d}", "text": story(number)}))

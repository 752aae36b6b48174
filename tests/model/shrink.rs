//! The smallest world that still fails: faults and features are taken away as long as the mistake stays.

use super::faults::Fault;
use super::invariants::{Mistake, World, mistakes};
use super::random::Random;

/// A smaller world with a mistake of the same sort.
pub(super) fn smallest(world: &World, same: &dyn Fn(&World) -> bool) -> World {
    let mut smallest = world.clone();
    while let Some(smaller) = smaller(&smallest).into_iter().find(|world| is_possible(world) && same(world)) {
        smallest = smaller;
    }
    smallest
}

/// Whether a world has a mistake of the same sort.
pub(super) fn fails_alike(world: &World, mistake: &Mistake) -> bool {
    // Every order is worth a try where order is what matters.
    let tries = if matches!(mistake, Mistake::Order(_)) { 0..12 } else { 0..1 };
    let alike = |other: &Mistake| std::mem::discriminant(other) == std::mem::discriminant(mistake);
    tries.into_iter().any(|seed| mistakes(world, &mut Random::new(seed)).iter().any(alike))
}

fn is_possible(world: &World) -> bool {
    let base = world.base();
    world.faults.iter().all(|fault| fault.is_possible(&base))
}

fn smaller(world: &World) -> Vec<World> {
    let mut worlds = Vec::new();
    for index in 0..world.faults.len() {
        let mut faults = world.faults.clone();
        faults.remove(index);
        worlds.push(World { faults, shape: world.shape.clone() });
    }
    worlds.extend(world.shape.plainer().into_iter().map(|shape| World { shape, faults: world.faults.clone() }));
    for index in 0..world.faults.len() {
        let fault = &world.faults[index];
        let plainer =
            [Fault { server: 0, ..fault.clone() }, Fault { variant: fault.variant % 12 % 4, ..fault.clone() }];
        for plainer in plainer.into_iter().filter(|plainer| plainer != fault) {
            let mut faults = world.faults.clone();
            faults[index] = plainer;
            worlds.push(World { faults, shape: world.shape.clone() });
        }
    }
    worlds
}

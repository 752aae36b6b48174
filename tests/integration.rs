
mod netns;

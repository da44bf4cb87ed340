// Trait objects, associated constants, default methods.
trait Animal {
    const LEGS: u32;
    fn name(&self) -> &str;
    fn legs(&self) -> u32 { Self::LEGS }
}
trait Speak { fn speak(&self, volume: u32) -> u32; }
struct Dog { name: String, age: u8 }
struct Bird;
impl Animal for Dog {
    const LEGS: u32 = 4;
    fn name(&self) -> &str { &self.name }
}
impl Animal for Bird {
    const LEGS: u32 = 2;
    fn name(&self) -> &str { "bird" }
}
impl Speak for Dog {
    #[inline(never)]
    fn speak(&self, volume: u32) -> u32 {
        let loud = volume * u32::from(self.age);
        if loud > 50 {
            panic!("too loud: {}", self.name());
        }
        loud + self.legs()
    }
}
impl Speak for Bird {
    #[inline(never)]
    fn speak(&self, volume: u32) -> u32 { volume + self.legs() }
}
#[inline(never)]
fn all(speakers: &[Box<dyn Speak>], one: &dyn Speak) -> u32 {
    let mut sum = one.speak(1);
    for speaker in speakers {
        sum += speaker.speak(10 + sum);
    }
    sum
}
fn main() {
    let dog = Dog { name: String::from("rex"), age: 5 };
    let speakers: Vec<Box<dyn Speak>> = vec![Box::new(Bird), Box::new(dog)];
    println!("{}", all(&speakers, &Bird));
}

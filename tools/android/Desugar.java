import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.jetbrains.org.objectweb.asm.ClassReader;
import org.jetbrains.org.objectweb.asm.ClassVisitor;
import org.jetbrains.org.objectweb.asm.ClassWriter;
import org.jetbrains.org.objectweb.asm.Handle;
import org.jetbrains.org.objectweb.asm.MethodVisitor;
import org.jetbrains.org.objectweb.asm.Opcodes;
import org.jetbrains.org.objectweb.asm.Type;

/**
 * Turns the lambdas of a jar into classes: `java -cp kotlin-compiler.jar Desugar.java IN OUT`.
 *
 * Kotlin's own library has lambdas made by `invokedynamic`, which Android cannot run. Gradle's dex
 * compiler turns them into classes; Debian's does not, so that this does it before. What lies in
 * META-INF is left out: it is for JVMs from 9 on.
 */
public class Desugar extends ClassVisitor implements Opcodes {
    private final List<String> names = new ArrayList<>();
    private final List<byte[]> made = new ArrayList<>();
    private final Set<String> called;
    private String owner;

    private Desugar(ClassVisitor next, Set<String> called) {
        super(ASM9, next);
        this.called = called;
    }

    public static void main(String[] arguments) throws IOException {
        try (ZipFile source = new ZipFile(arguments[0]);
                ZipOutputStream target =
                        new ZipOutputStream(Files.newOutputStream(Path.of(arguments[1])))) {
            for (ZipEntry entry : Collections.list(source.entries())) {
                String name = entry.getName();
                if (!name.endsWith(".class") || name.startsWith("META-INF/")) continue;
                ClassReader reader = new ClassReader(source.getInputStream(entry).readAllBytes());
                ClassWriter writer = new ClassWriter(0);
                Desugar desugar = new Desugar(writer, handles(reader));
                reader.accept(desugar, 0);
                write(target, name, writer.toByteArray());
                for (int n = 0; n < desugar.made.size(); n++) {
                    write(target, desugar.names.get(n) + ".class", desugar.made.get(n));
                }
            }
        }
    }

    private static void write(ZipOutputStream target, String name, byte[] content)
            throws IOException {
        target.putNextEntry(new ZipEntry(name));
        target.write(content);
    }

    /** The methods of a class that its lambdas call: another class is to call them now. */
    private static Set<String> handles(ClassReader reader) {
        Set<String> found = new HashSet<>();
        ClassVisitor visitor = new ClassVisitor(ASM9) {
            @Override
            public MethodVisitor visitMethod(
                    int access, String name, String desc, String signature, String[] exceptions) {
                return new MethodVisitor(ASM9) {
                    @Override
                    public void visitInvokeDynamicInsn(
                            String name, String desc, Handle factory, Object... details) {
                        Handle body = (Handle) details[1];
                        if (body.getOwner().equals(reader.getClassName())) {
                            found.add(body.getName() + body.getDesc());
                        }
                    }
                };
            }
        };
        reader.accept(visitor, ClassReader.SKIP_DEBUG);
        return found;
    }

    @Override
    public void visit(
            int version, int access, String name, String signature, String base, String[] types) {
        owner = name;
        super.visit(version, access, name, signature, base, types);
    }

    @Override
    public MethodVisitor visitMethod(
            int access, String name, String desc, String signature, String[] exceptions) {
        int open = called.contains(name + desc) ? access & ~ACC_PRIVATE : access;
        return new MethodVisitor(
                ASM9, super.visitMethod(open, name, desc, signature, exceptions)) {
            @Override
            public void visitInvokeDynamicInsn(
                    String method, String desc, Handle factory, Object... details) {
                if (!factory.getName().equals("metafactory")) {
                    throw new UnsupportedOperationException(owner + ": " + factory);
                }
                String lambda = owner + "$$Lambda$" + names.size();
                names.add(lambda);
                made.add(lambda(
                        lambda, method, desc,
                        (Type) details[0], (Handle) details[1], (Type) details[2]));
                visitMethodInsn(INVOKESTATIC, lambda, "create", desc, false);
            }
        };
    }

    /** A class with what the lambda holds in fields, and its one method. */
    private static byte[] lambda(
            String name, String method, String create, Type erased, Handle body, Type given) {
        ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_MAXS);
        Type[] held = Type.getArgumentTypes(create);
        String face = Type.getReturnType(create).getInternalName();
        String filled = Type.getMethodDescriptor(Type.VOID_TYPE, held);
        writer.visit(
                V1_8, ACC_FINAL | ACC_SYNTHETIC, name, null, "java/lang/Object",
                new String[] {face});

        MethodVisitor code = writer.visitMethod(ACC_PRIVATE, "<init>", filled, null, null);
        code.visitCode();
        code.visitVarInsn(ALOAD, 0);
        code.visitMethodInsn(INVOKESPECIAL, "java/lang/Object", "<init>", "()V", false);
        for (int n = 0, place = 1; n < held.length; place += held[n++].getSize()) {
            writer.visitField(ACC_FINAL, "held" + n, held[n].getDescriptor(), null, null);
            code.visitVarInsn(ALOAD, 0);
            code.visitVarInsn(held[n].getOpcode(ILOAD), place);
            code.visitFieldInsn(PUTFIELD, name, "held" + n, held[n].getDescriptor());
        }
        end(code, Type.VOID_TYPE);

        code = writer.visitMethod(ACC_STATIC, "create", create, null, null);
        code.visitCode();
        code.visitTypeInsn(NEW, name);
        code.visitInsn(DUP);
        for (int n = 0, place = 0; n < held.length; place += held[n++].getSize()) {
            code.visitVarInsn(held[n].getOpcode(ILOAD), place);
        }
        code.visitMethodInsn(INVOKESPECIAL, name, "<init>", filled, false);
        end(code, Type.getReturnType(create));

        code = writer.visitMethod(ACC_PUBLIC, method, erased.getDescriptor(), null, null);
        code.visitCode();
        call(code, name, held, erased, body, given);
        end(code, erased.getReturnType());
        writer.visitEnd();
        return writer.toByteArray();
    }

    private static void call(
            MethodVisitor code, String name, Type[] held, Type erased, Handle body, Type given) {
        boolean isNew = body.getTag() == H_NEWINVOKESPECIAL;
        List<Type> wanted = new ArrayList<>(List.of(Type.getArgumentTypes(body.getDesc())));
        if (!isNew && body.getTag() != H_INVOKESTATIC) {
            wanted.add(0, Type.getObjectType(body.getOwner()));
        }
        if (isNew) {
            code.visitTypeInsn(NEW, body.getOwner());
            code.visitInsn(DUP);
        }
        for (int n = 0; n < held.length; n++) {
            code.visitVarInsn(ALOAD, 0);
            code.visitFieldInsn(GETFIELD, name, "held" + n, held[n].getDescriptor());
        }
        Type[] taken = erased.getArgumentTypes();
        for (int n = 0, place = 1; n < taken.length; place += taken[n++].getSize()) {
            code.visitVarInsn(taken[n].getOpcode(ILOAD), place);
            convert(code, taken[n], given.getArgumentTypes()[n]);
            convert(code, given.getArgumentTypes()[n], wanted.get(held.length + n));
        }
        int how = switch (body.getTag()) {
            case H_INVOKESTATIC -> INVOKESTATIC;
            case H_INVOKEINTERFACE -> INVOKEINTERFACE;
            case H_NEWINVOKESPECIAL -> INVOKESPECIAL;
            default -> INVOKEVIRTUAL;
        };
        code.visitMethodInsn(
                how, body.getOwner(), body.getName(), body.getDesc(), body.isInterface());
        Type result = isNew
                ? Type.getObjectType(body.getOwner())
                : Type.getReturnType(body.getDesc());
        if (erased.getReturnType() != Type.VOID_TYPE) {
            convert(code, result, erased.getReturnType());
        } else if (result != Type.VOID_TYPE) {
            code.visitInsn(result.getSize() == 2 ? POP2 : POP);
        }
    }

    /** As `LambdaMetafactory` does it: cast, box or unbox. */
    private static void convert(MethodVisitor code, Type from, Type to) {
        if (from.equals(to)) return;
        boolean isObject = from.getSort() >= Type.ARRAY;
        boolean becomesObject = to.getSort() >= Type.ARRAY;
        if (isObject && becomesObject) {
            code.visitTypeInsn(CHECKCAST, to.getInternalName());
        } else if (isObject) {
            String box = box(to);
            code.visitTypeInsn(CHECKCAST, box);
            String unbox = to.getClassName() + "Value";
            code.visitMethodInsn(INVOKEVIRTUAL, box, unbox, "()" + to.getDescriptor(), false);
        } else if (becomesObject) {
            String box = box(from);
            String make = "(" + from.getDescriptor() + ")L" + box + ";";
            code.visitMethodInsn(INVOKESTATIC, box, "valueOf", make, false);
        } else {
            throw new UnsupportedOperationException(from + " to " + to);
        }
    }

    private static String box(Type primitive) {
        return "java/lang/" + switch (primitive.getSort()) {
            case Type.BOOLEAN -> "Boolean";
            case Type.CHAR -> "Character";
            case Type.BYTE -> "Byte";
            case Type.SHORT -> "Short";
            case Type.INT -> "Integer";
            case Type.LONG -> "Long";
            case Type.FLOAT -> "Float";
            default -> "Double";
        };
    }

    private static void end(MethodVisitor code, Type result) {
        code.visitInsn(result.getOpcode(IRETURN));
        code.visitMaxs(0, 0);
        code.visitEnd();
    }
}
